import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { PatternCheck, patternOf } from '../../../test/bytes/pattern.ts';
import {
  data,
  headers,
  openServer,
  plainGet,
  plainPost,
  rstStream,
  type ServerRig,
  settings,
  windowUpdate,
} from '../../../test/http2-wire.ts';
import { Flag, Frame, Setting } from './frames.ts';
import type { Http2Stream } from './stream.ts';

const seed = 20_261_130;

type Step =
  | { readonly act: 'open'; readonly hasBody: boolean }
  | { readonly act: 'head' | 'trailers' | 'peer-ends' | 'peer-resets' | 'resets'; readonly at: number }
  | { readonly act: 'send'; readonly at: number; readonly bytes: number; readonly ends: boolean }
  | { readonly act: 'grants'; readonly at: number; readonly bytes: number }
  | { readonly act: 'grants-all' | 'sets-window'; readonly bytes: number }
  | { readonly act: 'pauses' | 'resumes' | 'takes' };

const at = fc.nat(5);
const bytes = fc.constantFrom(0, 1, 5, 100, 4_096, 16_384, 16_385, 70_000);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ act: fc.constant('open' as const), hasBody: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ act: fc.constant('head' as const), at }) },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constantFrom('trailers', 'peer-ends', 'peer-resets', 'resets' as const), at }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ act: fc.constant('send' as const), at, bytes, ends: fc.nat(9).map((one) => one === 0) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ act: fc.constant('grants' as const), at, bytes: fc.integer({ min: 1, max: 50_000 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ act: fc.constant('grants-all' as const), bytes: fc.integer({ min: 1, max: 99_999 }) }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('sets-window' as const), bytes }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constantFrom('pauses', 'resumes', 'takes' as const) }) },
);

/** A stream as its client sees it. */
class SeenStream {
  readonly stream: Http2Stream;
  readonly check: PatternCheck;
  window: number;
  givenBytes = 0;
  /** The whole response has been given, and how it ends. */
  given: 'open' | 'ends' | 'ends by trailers' = 'open';
  over: 'open' | 'ended' | 'reset' = 'open';
  mayGoOn = true;

  constructor(stream: Http2Stream, window: number) {
    this.stream = stream;
    this.check = new PatternCheck(stream.id);
    this.window = window;
  }
}

/** The client of a session: sends frames, and holds what comes to its windows and to the states of streams. */
class SeenConnection {
  readonly rig: ServerRig = openServer({ maxOutputBytes: 100_000 });
  readonly streams: SeenStream[] = [];
  #window = 65_535;
  #streamWindow = 65_535;
  readonly #unacknowledged: (() => void)[] = [];

  run(one: Step): void {
    const { rig } = this;
    if (one.act === 'open') this.#open(one.hasBody);
    else if (one.act === 'grants-all') this.grantConnection(one.bytes);
    else if (one.act === 'sets-window') this.setWindow(one.bytes);
    else if (one.act === 'pauses') rig.session.pauseData();
    else if (one.act === 'resumes') rig.session.resumeData();
    else if (one.act === 'takes') this.take();
    else if ('at' in one) {
      const seen = this.streams[one.at % Math.max(1, this.streams.length)];
      if (seen !== undefined) this.#onStream(one, seen);
    }
    this.#note();
  }

  #open(hasBody: boolean): void {
    const id = 1 + 2 * this.streams.length;
    if (id > 11) return;
    this.rig.feed(headers(id, hasBody ? plainPost : plainGet, Flag.endHeaders | (hasBody ? 0 : Flag.endStream)));
    const stream = this.rig.recorder.streams.at(-1);
    if (stream?.id !== id) throw new Error(`stream ${id} was not opened`);
    this.streams.push(new SeenStream(stream, this.#streamWindow));
  }

  #onStream(one: Extract<Step, { readonly at: number }>, seen: SeenStream): void {
    const { stream } = seen;
    if (one.act === 'head') stream.sendHead(200, [], false);
    else if (one.act === 'grants') this.grant(seen, one.bytes);
    else if (one.act === 'resets') stream.reset(8);
    else if (one.act === 'peer-resets' && !stream.closed) {
      seen.over = 'reset';
      this.rig.feed(rstStream(stream.id, 8));
    } else if (one.act === 'peer-ends' && !stream.closed && !stream.remoteEnded)
      this.rig.feed(data(stream.id, '', true));
    else if (!stream.headSent || stream.closed || seen.given !== 'open') return;
    else if (one.act === 'trailers') {
      if (stream.sendTrailers(['x-sum', '1'])) seen.given = 'ends by trailers';
    } else if (one.act === 'send') this.#send(seen, one.bytes, one.ends);
  }

  #send(seen: SeenStream, count: number, ends: boolean): void {
    const { stream } = seen;
    const piece = Buffer.from(patternOf(stream.id, seen.givenBytes, seen.givenBytes + count));
    seen.givenBytes += count;
    if (ends) seen.given = 'ends';
    const taken = stream.sendData(piece, 0, count, ends);
    seen.mayGoOn &&= taken;
    // The caller reads into it again.
    piece.fill(0xff);
  }

  grant(seen: SeenStream, count: number): void {
    if (seen.over !== 'open' || seen.stream.closed) return;
    seen.window += count;
    this.rig.feed(windowUpdate(seen.stream.id, count));
  }

  grantConnection(count: number): void {
    this.#window += count;
    this.rig.feed(windowUpdate(0, count));
  }

  setWindow(count: number): void {
    const change = count - this.#streamWindow;
    this.#streamWindow = count;
    const open = [...this.streams];
    this.#unacknowledged.push(() => {
      for (const seen of open) seen.window += change;
    });
    this.rig.feed(settings([[Setting.initialWindowSize, count]]));
  }

  /** Reads all that waits to be written. */
  take(): number {
    const frames = this.rig.frames();
    for (const { type, flags, stream: id, payload } of frames) {
      if (type === Frame.settings) this.#unacknowledged.shift()?.();
      const seen = this.streams.find(({ stream }) => stream.id === id);
      if (seen === undefined) continue;
      if (type === Frame.data || type === Frame.headers) {
        if (seen.over === 'ended') throw new Error(`stream ${id}: a frame behind its end`);
        if (seen.over === 'reset') continue;
      }
      if (type === Frame.data) {
        this.#window -= payload.length;
        seen.window -= payload.length;
        if (payload.length > 0 && seen.window < 0) throw new Error(`stream ${id}: window exceeded by ${-seen.window}`);
        if (this.#window < 0) throw new Error(`the connection's window is exceeded by ${-this.#window}`);
        seen.check.add(payload);
        if (seen.check.fault !== undefined) throw new Error(seen.check.fault);
      }
      if ((type === Frame.data || type === Frame.headers) && (flags & Flag.endStream) !== 0) this.#onEnd(seen);
      else if (type === Frame.rstStream && seen.over === 'open') seen.over = 'reset';
    }
    this.#note();
    return frames.length;
  }

  #onEnd(seen: SeenStream): void {
    if (seen.given === 'open' || seen.check.bytes !== seen.givenBytes)
      throw new Error(`stream ${seen.stream.id} ended behind ${seen.check.bytes} of ${seen.givenBytes} bytes`);
    seen.over = 'ended';
  }

  #note(): void {
    for (const event of this.rig.events()) {
      if (event.startsWith('fault')) throw new Error(event);
      const seen = this.streams.find(({ stream }) => event === `window ${stream.id}`);
      if (seen !== undefined) seen.mayGoOn = true;
    }
  }
}

describe('bodies that a session of HTTP/2 sends, in any order of windows, settings, pauses, ends and resets', () => {
  it('are those that it was given, within the windows, and whole once these let them through', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const seen = new SeenConnection();
        for (const one of steps) seen.run(one);
        seen.rig.session.resumeData();
        seen.grantConnection(20_000_000);
        for (const each of seen.streams) seen.grant(each, 20_000_000);
        while (seen.take() > 0) seen.rig.session.resumeData();
        for (const { stream, check, givenBytes, given, over, mayGoOn } of seen.streams) {
          if (over === 'reset') continue;
          expect([check.bytes, over], `stream ${stream.id}`).to.deep.equal([
            givenBytes,
            given === 'open' ? 'open' : 'ended',
          ]);
          if (given === 'open' && !stream.closed) expect(mayGoOn, `stream ${stream.id} goes on`).to.equal(true);
        }
      }),
      fuzzRuns(400, seed),
    );
  });
});
