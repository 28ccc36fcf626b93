import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { Flag, Frame, Setting } from '../../src/http/http2/frames.ts';
import { data, frame, goaway, headers, rstStream, settings, windowUpdate } from '../http2-wire.ts';
import { makeHttp2Server, type Rig, startRig } from '../server-rig.ts';
import { until } from '../until.ts';
import { everyClient } from './every-client.ts';
import { http2At, type ScriptedEndpoint, startScriptedEndpoint } from './scripted-endpoint.ts';

const seed = 20_261_128;

/** Made for the stream of the request: what an endpoint may send, and what it may not. */
type Piece = (stream: number) => Buffer;

const status = fc.constantFrom('200', '204', '103', '101', '99', '2000', '500', '');
const field = fc.constantFrom<readonly [string, string]>(
  ['a', 'b'],
  ['A', 'b'],
  ['content-length', '5'],
  ['content-length', '0'],
  ['transfer-encoding', 'chunked'],
  ['connection', 'close'],
  [':path', '/'],
  ['x', 'a\r\nb'],
  ['grpc-status', '0'],
);
const piece: fc.Arbitrary<Piece> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        status,
        fc.array(field, { maxLength: 3 }),
        fc.constantFrom(0, Flag.endStream, Flag.endHeaders, Flag.endHeaders | Flag.endStream),
      )
      .map(
        ([code, fields, flags]): Piece =>
          (stream) =>
            headers(stream, [[':status', code], ...fields], flags),
      ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constantFrom(0, 1, 5, 100, 16_384), fc.boolean()).map(
      ([size, end]): Piece =>
        (stream) =>
          data(stream, Buffer.alloc(size, 'd'), end),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(0, 2, 7, 8, 13, 99).map(
      (code): Piece =>
        (stream) =>
          rstStream(stream, code),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(0, 1, 2, 2 ** 31 - 1).map(
      (last): Piece =>
        () =>
          goaway(last),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(0, 1, 65_535, 2 ** 31 - 1), fc.boolean()).map(
      ([by, whole]): Piece =>
        (stream) =>
          windowUpdate(whole ? 0 : stream, by),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...Object.values(Setting), 99), fc.constantFrom(0, 1, 100, 20_000, 2 ** 31))
      .map(
        ([name, value]): Piece =>
          () =>
            settings([[name, value]]),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.nat(12),
        fc.constantFrom(0, 1, 4, 8, 0x2d, 0xff),
        fc.constantFrom(0, 1, 2, 99),
        fc.uint8Array({ maxLength: 40 }),
      )
      .map(
        ([type, flags, id, payload]): Piece =>
          () =>
            frame(type, flags, id, Buffer.from(payload)),
      ),
  },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ maxLength: 30 }).map(
      (bytes): Piece =>
        () =>
          Buffer.from(bytes),
    ),
  },
);

const conversation = fc.record({
  pieces: fc.array(piece, { minLength: 1, maxLength: 8 }),
  /** Where the bytes are cut into writes. */
  cut: fc.constantFrom(1, 7, 100, 1_000_000),
  ends: fc.constantFrom('open', 'end', 'reset'),
  method: fc.constantFrom('GET', 'POST'),
});

describe('any bytes of an HTTP/2 endpoint (fuzz)', () => {
  let scripted: ScriptedEndpoint;
  let rig: Rig;
  before(async () => {
    scripted = await startScriptedEndpoint();
    rig = await startRig(makeHttp2Server, {
      endpoints: [http2At(scripted.port)],
      timeouts: { serverMs: 150, connectMs: 1_000 },
      limits: { idleMs: 1_000 },
    });
  });
  after(async () => {
    await rig.stop();
    await scripted.stop();
  });

  for (const { name, send } of everyClient.slice(0, 2))
    it(`end the request that they respond, and hold up no other one, over ${name}`, async () => {
      await fc.assert(
        fc.asyncProperty(conversation, async ({ pieces, cut, ends, method }) => {
          let isHostile = true;
          scripted.onFrame = ({ type, stream }, socket) => {
            if (type !== Frame.headers) return;
            if (!isHostile) {
              socket.write(headers(stream, [[':status', '204']]));
              return;
            }
            const bytes = Buffer.concat(pieces.map((make) => make(stream)));
            for (let at = 0; at < bytes.length; at += Math.max(cut, Math.ceil(bytes.length / 50)))
              socket.write(bytes.subarray(at, at + Math.max(cut, Math.ceil(bytes.length / 50))));
            if (ends === 'end') socket.end();
            else if (ends === 'reset') socket.resetAndDestroy();
          };
          const response = await send(rig, { method, ...(method === 'POST' ? { body: ['hello'] } : {}) });
          expect(response.status === 0 ? response.broken : response.status >= 200).to.equal(true);
          isHostile = false;
          // A SETTINGS of no streams at all may stand: then a connection of its own has to do.
          await until(async () => (await send(rig, {})).status === 204, 'a good response', 5_000);
          await until(() => rig.context.outstanding === 0, 'the end of all exchanges');
        }),
        fuzzRuns(60, seed),
      );
    });

  it('leave nothing behind', async () => {
    await until(() => rig.pool.sizes().open === 0, 'an empty pool', 10_000);
    expect(rig.pool.sizes()).to.deep.equal({ open: 0, idle: 0, queued: 0 });
    expect(rig.pool.sweep.size).to.equal(0);
  });
});
