import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  block,
  ClientRig,
  data,
  frame,
  goaway,
  headers,
  plainGet,
  plainPost,
  rstStream,
  ServerRig,
  settings,
  settingsAck,
  windowUpdate,
} from '../../../test/http2-wire.ts';
import { faults } from './faults.ts';
import { clientPreface, Flag, Frame } from './frames.ts';

const seed = 20_261_128;
const causes = new Set<string>(Object.values(faults).map(({ cause }) => cause));

const stream = fc.constantFrom(0, 1, 1, 1, 2, 3, 3, 5, 7, 9, 101, 2 ** 31 - 1);
const flags = fc.constantFrom(0, 1, 4, 5, 8, 0x20, 0x25, 0x2d, 0xff);
const code = fc.constantFrom(0, 7, 8, 99);
const increment = fc.constantFrom(0, 1, 100, 65_535, 2 ** 31 - 1);

const oneFrame: fc.Arbitrary<Buffer> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(stream, fc.constantFrom(plainGet, plainPost, [['a', 'b']] as const), flags)
      .map(([id, fields, bits]) => headers(id, block(fields), bits & ~0x28)),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(stream, fc.nat(300), fc.boolean())
      .map(([id, size, end]) => data(id, Buffer.alloc(size, 'd'), end)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(stream, fc.constantFrom(100, 8_000, 16_384))
      .map(([id, size]) => data(id, Buffer.alloc(size, 'D'))),
  },
  { weight: 2, arbitrary: fc.tuple(stream, code).map(([id, error]) => rstStream(id, error)) },
  { weight: 2, arbitrary: fc.tuple(stream, increment).map(([id, by]) => windowUpdate(id, by)) },
  {
    weight: 1,
    arbitrary: fc.tuple(stream, flags).map(([id, bits]) => frame(Frame.continuation, bits, id, block([['c', 'd']]))),
  },
  { weight: 1, arbitrary: fc.tuple(fc.nat(9), fc.nat(70_000)).map(([name, value]) => settings([[name, value]])) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(settingsAck, goaway(1), goaway(0, 2), frame(Frame.ping, 0, 0, Buffer.alloc(8))),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(stream, fc.nat(6)).map(([id, size]) => frame(Frame.priority, 0, id, Buffer.alloc(size))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(12), flags, stream, fc.uint8Array({ maxLength: 40 }))
      .map(([type, bits, id, payload]) => frame(type, bits, id, Buffer.from(payload))),
  },
);

/** Beginnings of a right conversation: what follows meets streams in every state. */
const requests: readonly Buffer[] = [
  headers(1, plainPost, Flag.endHeaders),
  headers(3, plainGet),
  data(1, 'hello'),
  headers(5, block(plainPost), 0),
  frame(Frame.continuation, Flag.endHeaders, 5),
  headers(1, [['trailer', 'x']]),
  rstStream(5, 8),
];
const responses: readonly Buffer[] = [
  headers(1, [[':status', '103']], Flag.endHeaders),
  headers(1, [[':status', '200']], Flag.endHeaders),
  headers(3, [[':status', '204']]),
  data(1, 'hello'),
  headers(1, [['trailer', 'x']]),
];

const change = fc.tuple(fc.nat(), fc.nat(255), fc.constantFrom('insert', 'replace', 'delete'));

function mutate(bytes: Buffer, changes: readonly (readonly [number, number, string])[]): Buffer {
  let text = bytes.toString('latin1');
  for (const [place, byte, how] of changes) {
    const at = place % (text.length + 1);
    text =
      text.slice(0, at) +
      (how === 'delete' ? '' : String.fromCharCode(byte)) +
      text.slice(how === 'insert' ? at : at + 1);
  }
  return Buffer.from(text, 'latin1');
}

/** Feeds a conversation in pieces, and responds to what is received. What came of it, pieces of bodies joined. */
function play(
  rig: ServerRig | ClientRig,
  bytes: Buffer,
  pieces: number,
): { readonly events: string[]; readonly sent: number } {
  let sent = 0;
  if (rig instanceof ServerRig) {
    rig.recorder.respond = (each) => {
      if (!each.sendHead(200, ['x', 'y'], false)) throw new Error('a head was not sent');
      each.sendData(Buffer.alloc(40_000), 0, 40_000, each.id % 4 === 1);
    };
  }
  const size = Math.max(1, Math.ceil(bytes.length / pieces));
  for (let at = 0; at < bytes.length; at += size) {
    rig.session.read(bytes, at, Math.min(bytes.length, at + size));
    const { pendingOutputBytes } = rig.session;
    expect(pendingOutputBytes).to.be.lessThan(5_000_000);
    sent += rig.bytes().length;
    expect(rig.session.openStreams).to.be.at.most(100);
  }
  for (const fault of rig.recorder.faults) expect(causes, fault.cause).to.include(fault.cause);
  expect(rig.recorder.faults.length).to.equal(rig.session.closed ? 1 : 0);
  if (rig.session.closed) expect(rig.session.openStreams).to.equal(0);
  const before = rig.recorder.events.length;
  rig.session.abort();
  rig.feed(Buffer.alloc(100, 1));
  expect(rig.session.openStreams).to.equal(0);
  expect(rig.recorder.events.slice(before).every((event) => event.startsWith('reset'))).to.equal(true);
  return { events: rig.recorder.events.filter((event) => !event.startsWith('data')), sent };
}

const pattern = Buffer.from(Array.from({ length: 81_000 }, (_, at) => (at * 7 + (at >> 8)) & 0xff));

describe('HTTP/2 sessions: fuzz with a fixed seed', () => {
  it('survives random bytes', function () {
    this.timeout(60_000);
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        (random, pieces, greeted) => {
          const bytes = Buffer.from(random);
          play(new ServerRig(), greeted ? Buffer.concat([clientPreface, settings(), bytes]) : bytes, pieces);
          play(new ClientRig(), greeted ? Buffer.concat([settings(), bytes]) : bytes, pieces);
        },
      ),
      fuzzRuns(3_000, seed),
    );
  });

  it('survives sequences of frames, mutated too, and reads them alike in any pieces', function () {
    this.timeout(120_000);
    let ended = 0;
    let served = 0;
    fc.assert(
      fc.property(
        fc.nat(7),
        fc.array(oneFrame, { maxLength: 20 }),
        fc.array(change, { maxLength: 2 }),
        fc.integer({ min: 1, max: 60 }),
        fc.boolean(),
        (known, frames, changes, pieces, isServer) => {
          const start = isServer ? Buffer.concat([clientPreface, settings(), settingsAck]) : settings();
          const right = (isServer ? requests : responses).slice(0, known);
          const bytes = Buffer.concat([start, mutate(Buffer.concat([...right, ...frames]), changes)]);
          const make = () => {
            if (isServer) return new ServerRig();
            const rig = new ClientRig();
            for (let each = 0; each < 3; each++) rig.post();
            return rig;
          };
          const whole = play(make(), bytes, 1);
          const cut = play(make(), bytes, pieces);
          expect(cut.events).to.deep.equal(whole.events);
          if (whole.events.some((event) => event.startsWith('fault'))) ended++;
          if (whole.events.some((event) => event.startsWith('request') || event.startsWith('response'))) served++;
        },
      ),
      fuzzRuns(3_000, seed),
    );
    expect(ended, 'conversations that ended in a fault').to.be.greaterThan(500);
    expect(served, 'conversations with a request or response').to.be.greaterThan(500);
  });

  it('carries every body whole between two sessions, whatever the windows', function () {
    this.timeout(120_000);
    const options = fc.record({
      streamWindowBytes: fc.constantFrom(60, 1_000, 65_535, 200_000),
      connectionWindowBytes: fc.constantFrom(65_535, 100_000),
      headerTableBytes: fc.constantFrom(0, 100, 4_096, 65_536),
    });
    const sizes = fc.array(fc.nat(80_000), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(options, options, sizes, fc.boolean(), (ours, theirs, bodies, pauses) => {
        const server = new ServerRig(ours);
        const client = new ClientRig(theirs);
        const body = (size: number) => pattern.subarray(size % 251, (size % 251) + size);
        server.recorder.respond = (each, head) => {
          const text = body(Number(head.path.slice(1)));
          each.sendHead(200, ['content-length', String(text.length)], false);
          each.sendData(text, 0, text.length, false);
        };
        // The end comes behind that of the request: before it, the rest of the request would be cut off.
        server.recorder.onEnd = (each) => {
          each.sendTrailers(['x-trailer', 'y']);
        };
        for (const size of bodies) {
          const request = client.session.request(
            { method: 'POST', scheme: 'http', authority: 'a', path: `/${size}` },
            ['x-size', String(size)],
            false,
          );
          request?.sendData(body(size), 0, size, true);
        }
        let idle = 0;
        for (let round = 0; idle < 3; round++) {
          if (pauses && round % 2 === 0) server.session.pauseData();
          else server.session.resumeData();
          const there = client.bytes();
          server.feed(there);
          const back = server.bytes();
          client.feed(back);
          idle = there.length + back.length === 0 ? idle + 1 : 0;
        }
        expect([...server.recorder.faults, ...client.recorder.faults]).to.deep.equal([]);
        bodies.forEach((size, at) => {
          const id = at * 2 + 1;
          expect(Buffer.from(server.recorder.bodies.get(id) ?? '', 'latin1').equals(body(size)), `up ${size}`).to.equal(
            true,
          );
          expect(
            Buffer.from(client.recorder.bodies.get(id) ?? '', 'latin1').equals(body(size)),
            `down ${size}`,
          ).to.equal(true);
        });
        expect([server.session.openStreams, client.session.openStreams]).to.deep.equal([0, 0]);
        expect(client.recorder.trailers.length).to.equal(bodies.length);
      }),
      fuzzRuns(60, seed),
    );
  });
});
