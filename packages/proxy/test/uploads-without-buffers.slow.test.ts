import type { Socket } from 'node:net';
import { expect } from 'chai';
import { onStage } from './conformance/suite.ts';
import { makeHttp2Server } from './server-rig.ts';
import { until } from './until.ts';

const piece = Buffer.alloc(65_536, 'x');
const pieces = 400;

/** Large buffers that are made while it runs, by either way that the proxy has. */
async function countBuffers(run: () => Promise<void>): Promise<number> {
  const { from, allocUnsafeSlow } = Buffer;
  let count = 0;
  Buffer.from = ((bytes: Buffer, ...rest: []) => {
    if (typeof bytes !== 'string' && bytes.length > 4_096) count += 1;
    return from.call(Buffer, bytes, ...rest);
  }) as typeof Buffer.from;
  Buffer.allocUnsafeSlow = (bytes) => {
    if (bytes > 4_096) count += 1;
    return allocUnsafeSlow(bytes);
  };
  try {
    await run();
  } finally {
    Object.assign(Buffer, { from, allocUnsafeSlow });
  }
  return count;
}

/** V8 collects the whole heap for the sake of buffers that come and go by the thousand. */
describe('a client that sends at full speed', () => {
  for (const [what, head] of [
    [
      'a body with a length',
      `POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${2 * pieces * piece.length}\r\n\r\n`,
    ],
    ['chunks', `POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n`],
    ['bytes of a tunnel', 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n'],
  ] as const)
    it(`needs no buffer for each read: ${what}`, () =>
      onStage(makeHttp2Server, async ({ rig, backend }) => {
        let receivedBytes = 0;
        const drop = (endpoint: Socket) => {
          endpoint.removeAllListeners('data');
          endpoint.on('data', (bytes: Buffer) => {
            receivedBytes += bytes.length;
          });
        };
        backend.onHead = ({ headers }, endpoint) => {
          drop(endpoint);
          if (headers.some((name) => name.toLowerCase() === 'upgrade'))
            endpoint.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n');
        };
        const client = rig.client();
        client.send(head);
        await until(() => backend.requests.length === 1, 'the request');
        if (what === 'bytes of a tunnel') await until(() => client.received.includes('101 '), 'the tunnel');
        const made = await countBuffers(async () => {
          for (let at = 0; at < pieces; at += 1) client.socket.write(piece);
          await until(() => receivedBytes >= pieces * piece.length, 'all of it');
        });
        expect(made).to.be.below(pieces / 10);
      }));
});
