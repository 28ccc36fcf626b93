import { expect } from 'chai';
import { type Source, StateStream, silentMs } from './state-stream.ts';

class FakeSource implements Source {
  readyState = 0;
  isClosed = false;
  readonly url: string;
  readonly #listeners = new Map<string, ((event: { data?: string; lastEventId?: string }) => void)[]>();
  constructor(url: string) {
    this.url = url;
  }
  addEventListener(type: string, listener: (event: { data?: string; lastEventId?: string }) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }
  close(): void {
    this.isClosed = true;
  }
  send(type: string, event: { data?: string; lastEventId?: string } = {}): void {
    for (const listener of this.#listeners.get(type) ?? []) listener({ data: '{}', ...event });
  }
}

function rig() {
  const sources: FakeSource[] = [];
  const seen: string[] = [];
  let nowMs = 0;
  let timer: { readonly run: () => void; readonly ms: number; readonly dueMs: number } | undefined;
  const stream = new StateStream({
    open(url) {
      const source = new FakeSource(url);
      sources.push(source);
      return source;
    },
    onReset: () => seen.push('reset'),
    onChanges: (changes) => seen.push(JSON.stringify(changes)),
    onCurrent: () => seen.push('current'),
    onTrouble: (trouble) => seen.push(trouble),
    nowMs: () => nowMs,
    schedule(run, ms) {
      const own = { run, ms, dueMs: nowMs + ms };
      timer = own;
      return () => {
        if (timer === own) timer = undefined;
      };
    },
  });
  return {
    stream,
    sources,
    seen,
    source: () => sources.at(-1) as FakeSource,
    waitedMs: () => timer?.ms,
    /** Events come for so long. */
    run(ms: number) {
      nowMs += ms;
    },
    /** No event comes, for `silentMs` unless another time is given. */
    pass(ms = silentMs) {
      nowMs += ms;
      if (timer === undefined || timer.dueMs > nowMs) return;
      const due = timer;
      timer = undefined;
      due.run();
    },
  };
}

describe('the stream of the state', () => {
  it('takes events, and goes on after the last of them when it is opened again', () => {
    const { stream, source, seen } = rig();
    stream.open('all');
    expect(source().url).to.equal('/v1/events?replicas=all');
    source().send('reset');
    source().send('changes', { data: '{"keys":{"":[]}}' });
    source().send('current', { lastEventId: 'ab-7' });
    expect(seen).to.deep.equal(['reset', '{"keys":{"":[]}}', 'current']);
    stream.close();
    stream.open('all');
    expect(source().url).to.equal('/v1/events?replicas=all&after=ab-7');
  });

  it('starts over with another scope, and where what it held was forgotten', () => {
    const { stream, source } = rig();
    stream.open('all');
    source().send('current', { lastEventId: 'ab-7' });
    stream.open('replica');
    expect(source().url).to.equal('/v1/events?replicas=replica');
    source().send('current', { lastEventId: 'cd-1' });
    stream.forget();
    stream.open('replica');
    expect(source().url).to.equal('/v1/events?replicas=replica');
  });

  it('goes on where it was with another service in full, and without one', () => {
    const { stream, source } = rig();
    stream.open('all', 'manual/shop');
    expect(source().url).to.equal('/v1/events?replicas=all&service=manual%2Fshop');
    source().send('current', { lastEventId: 'ab-7' });
    stream.open('all');
    expect(source().url).to.equal('/v1/events?replicas=all&after=ab-7');
  });

  it('is cut where it is open and no event comes within 10 s', () => {
    const { stream, source, seen, pass, waitedMs } = rig();
    stream.open('all');
    source().readyState = 1;
    expect(waitedMs()).to.equal(silentMs).and.to.equal(10_000);
    pass();
    expect(seen).to.deep.equal(['silent']);
    expect([source().isClosed, stream.isOpen]).to.deep.equal([true, false]);
  });

  it('is cut where the first events come and then none: a buffer in between is full of them', () => {
    const { stream, source, seen, pass } = rig();
    stream.open('all');
    source().send('current');
    pass();
    expect(seen).to.deep.equal(['current', 'silent']);
  });

  it('is opened again where events came for long, and then none', () => {
    const { stream, source, sources, seen, pass, run } = rig();
    stream.open('all');
    run(20_000);
    source().send('current', { lastEventId: 'ab-7' });
    pass();
    expect(seen).to.deep.equal(['current', 'interrupted']);
    expect(sources.map(({ url, isClosed }) => [url, isClosed])).to.deep.equal([
      ['/v1/events?replicas=all', true],
      ['/v1/events?replicas=all&after=ab-7', false],
    ]);
    pass();
    expect(seen.at(-1)).to.equal('silent');
  });

  it('leaves it to the browser to open it again where it broke off, for 10 s', () => {
    const { stream, source, sources, seen, pass } = rig();
    stream.open('all');
    source().send('current');
    source().send('error');
    expect(seen).to.deep.equal(['current', 'interrupted']);
    expect(sources).to.have.length(1);
    pass();
    expect(seen.at(-1)).to.equal('silent');
  });

  it('is given up where it breaks off again and again before anything comes, however soon it is opened again', () => {
    const { stream, source, seen, pass } = rig();
    stream.open('all');
    source().send('current');
    for (let tries = 0; tries < 3; tries += 1) {
      source().send('error');
      pass(3_000);
    }
    pass(1_000);
    expect(seen).to.deep.equal(['current', 'interrupted', 'interrupted', 'interrupted', 'silent']);
    stream.open('all');
    source().send('error');
    source().send('current');
    pass(9_000);
    source().send('error');
    pass(9_000);
    expect(seen.slice(5)).to.deep.equal(['interrupted', 'current', 'interrupted']);
  });

  it('is refused where the response was no stream', () => {
    const { stream, source, seen, waitedMs } = rig();
    stream.open('all');
    source().readyState = 2;
    source().send('error');
    expect(seen).to.deep.equal(['refused']);
    expect([stream.isOpen, waitedMs()]).to.deep.equal([false, undefined]);
  });

  it('takes nothing of a stream that it has left', () => {
    const { stream, sources, seen } = rig();
    stream.open('all');
    stream.open('all');
    sources[0]?.send('reset');
    sources[0]?.send('error');
    expect(seen).to.deep.equal([]);
  });
});
