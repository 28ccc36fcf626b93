import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { Flag } from '../src/http/http2/frames.ts';
import { UnreadBytes } from '../src/server/http1/unread-bytes.ts';
import { ClientHelloReader } from '../src/server/relay/client-hello.ts';
import { ServerRig } from './behaviour-rig.ts';
import { FrameClient } from './frame-client.ts';
import { data, headers, plainPost } from './http2-wire.ts';
import { makeCoreServer, makeExpressServer, makeHttp2Server, startRig } from './server-rig.ts';
import { endpointAt } from './test-context.ts';

/** Of this thread alone: what collects garbage beside it depends on what else the machine does. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** The least CPU time of several runs. `prepare` goes before each and is not counted. */
async function leastCpuMs(run: () => unknown, prepare: () => void = () => undefined): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let time = 0; time < 6; time += 1) {
    prepare();
    const beganMs = cpuMs();
    await run();
    least = Math.min(least, cpuMs() - beganMs);
  }
  return least;
}

/**
 * Both in turns until one costs at most so many times the other by the least CPU time of each: on a busy machine six runs
 * of one may all have been slowed down, and those of the other not.
 */
async function comparedCpuMs(
  run: () => unknown,
  other: () => unknown,
  atMost: number,
  prepare?: () => void,
): Promise<readonly [ms: number, otherMs: number]> {
  let [ms, otherMs] = [await leastCpuMs(run, prepare), await leastCpuMs(other)];
  for (let round = 0; round < 9 && ms >= atMost * otherMs; round += 1) {
    ms = Math.min(ms, await leastCpuMs(run, prepare));
    otherMs = Math.min(otherMs, await leastCpuMs(other));
  }
  return [ms, otherMs];
}

describe('the cost of bytes that come in the smallest pieces', function () {
  this.timeout(60_000);

  for (const [router, makeServer] of [
    ['core', makeCoreServer],
    ['Express', makeExpressServer],
  ] as const)
    it(`a request body in one-byte chunks costs at most four times the same bytes in one (${router})`, async () => {
      const rig = await ServerRig.start(makeServer);
      try {
        let received = 0;
        const endpoint = await rig.backend((request, response) => {
          request.on('data', (part: Buffer) => {
            received += part.length;
          });
          request.on('end', () => response.end('taken'));
        });
        rig.route('a', { endpoints: [endpoint] });
        const head = 'POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n';
        const payload = 1_000_000;
        const small = Buffer.from(`${head}${'1\r\nx\r\n'.repeat(payload)}0\r\n\r\n`);
        const size = payload * 6;
        const whole = Buffer.from(`${head}${size.toString(16)}\r\n${'x'.repeat(size)}\r\n0\r\n\r\n`);
        const send = async (bytes: Buffer) => {
          const client = rig.connect();
          client.socket.write(bytes);
          expect(await client.untilClosed()).to.include('taken');
        };
        await send(small);
        expect(received).to.equal(payload);
        const [smallMs, wholeMs] = await comparedCpuMs(
          () => send(small),
          () => send(whole),
          4,
        );
        expect(smallMs / wholeMs, `${smallMs} ms against ${wholeMs} ms`).to.be.below(4);
      } finally {
        await rig.stop();
      }
    });

  it('an HTTP/2 body in one-byte DATA frames costs at most four times as many bytes in large ones', async () => {
    let received = 0;
    const backend = createServer((request, response) => {
      request.on('data', (part: Buffer) => {
        received += part.length;
      });
      request.on('end', () => response.end('taken'));
    }).listen(0, '127.0.0.1');
    await once(backend, 'listening');
    const rig = await startRig(makeHttp2Server, { endpoints: [endpointAt((backend.address() as AddressInfo).port)] });
    const client = new FrameClient(rig.port);
    try {
      let stream = -1;
      /** Frames that were made for another stream become those of the next one. */
      const renumber = (frames: Buffer) => {
        stream += 2;
        for (let at = 0; at < frames.length; at += 9 + frames.readUIntBE(at, 3)) frames.writeUInt32BE(stream, at + 5);
      };
      const send = async (frames: Buffer) => {
        client.send(headers(stream, plainPost, Flag.endHeaders), frames);
        await client.responded(stream);
        client.forget();
      };
      // Within the window of a stream, so that the client need not wait.
      const payload = 200_000;
      const end = data(1, '', true);
      const small = Buffer.concat([...Array<Buffer>(payload).fill(data(1, 'x')), end]);
      const whole = Buffer.concat([...Array<Buffer>(payload / 10_000).fill(data(1, 'x'.repeat(10_000))), end]);
      renumber(small);
      await send(small);
      expect(received).to.equal(payload);
      const inLarge = async () => {
        for (let sent = 0; sent < small.length; sent += whole.length) {
          renumber(whole);
          await send(whole);
        }
      };
      const [smallMs, wholeMs] = await comparedCpuMs(
        () => send(small),
        inLarge,
        4,
        () => renumber(small),
      );
      expect(smallMs / wholeMs, `${smallMs} ms against ${wholeMs} ms`).to.be.below(4);
    } finally {
      client.destroy();
      await rig.stop();
      backend.close().closeAllConnections();
    }
  });

  it('a head that comes byte by byte costs in proportion to its bytes', async () => {
    const byte = Buffer.from('x');
    const gather = (count: number) => {
      const unread = new UnreadBytes();
      for (let at = 0; at < count; at += 1) unread.append(byte);
      expect(unread.length).to.equal(count);
    };
    const fewMs = await leastCpuMs(() => {
      for (let time = 0; time < 64; time += 1) gather(1_024);
    });
    const manyMs = await leastCpuMs(() => gather(65_536));
    expect(manyMs, `${manyMs} ms against ${fewMs} ms for as many bytes`).to.be.below(4 * fewMs + 5);
  });

  it('a ClientHello in one-byte records, each in a piece of its own, costs in proportion to its bytes', async () => {
    const records = (count: number) => Array.from({ length: count }, () => Buffer.from([22, 3, 1, 0, 1, 1]));
    const read = (pieces: readonly Buffer[]) => () => {
      const reader = new ClientHelloReader();
      for (const piece of pieces) reader.read(piece);
    };
    const few = Array.from({ length: 10 }, () => records(1_000));
    const many = records(10_000);
    const fewMs = await leastCpuMs(() => {
      for (const pieces of few) read(pieces)();
    });
    const manyMs = await leastCpuMs(read(many));
    expect(manyMs, `${manyMs} ms against ${fewMs} ms for as many bytes`).to.be.below(4 * fewMs + 5);
  });
});
