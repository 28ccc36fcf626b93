import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createSecureServer } from 'node:tls';
import { expect } from 'chai';
import { makeCoreServer, makeExpressServer, startRig } from './server-rig.ts';
import { testCertificate } from './test-certificate.ts';
import { endpointAt } from './test-context.ts';
import { until } from './until.ts';

const surplus = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL';

/** A response of so many bytes, its head included. */
function responseOf(bytes: number): string {
  const head = (length: number) => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
  let length = bytes - head(bytes).length;
  while (head(length).length + length < bytes) length += 1;
  return head(length) + 'A'.repeat(length);
}

// Bytes behind a response belong to no request (RFC 9112, section 9.2), wherever the reads of the proxy happen to end: a read
// of a socket takes 65,536 bytes, a record of TLS holds 16,384.
for (const [router, makeServer] of [
  ['core', makeCoreServer],
  ['express', makeExpressServer],
] as const)
  describe(`what an endpoint sends behind its response, with the ${router} router`, () => {
    for (const [secure, bytes] of [
      [false, 1_000],
      [false, 65_535],
      [false, 65_536],
      [false, 65_537],
      [false, 131_072],
      [true, 1_000],
      [true, 16_384],
      [true, 32_768],
      [true, 65_536],
    ] as const)
      it(`goes to no other request: ${bytes} bytes${secure ? ' over TLS' : ''}`, async () => {
        const sockets = new Set<Socket>();
        const held: (() => void)[] = [];
        const { key, cert } = await testCertificate(['localhost']);
        const serve = (socket: Socket) => {
          sockets.add(socket);
          socket.on('error', () => undefined);
          socket.on('data', (data: Buffer) => {
            // In one piece: the surplus is on its way before the next request can be.
            if (data.includes('GET /one')) held.push(() => socket.write(responseOf(bytes) + surplus));
            else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo');
          });
        };
        const backend: Server = secure ? createSecureServer({ key, cert }, serve) : createServer(serve);
        await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
        const address = backend.address();
        const port = typeof address === 'object' && address !== null ? address.port : 0;
        const rig = await startRig(makeServer, {
          endpoints: [{ ...endpointAt(port), secure }],
          limits: { perEndpoint: 1 },
        });
        try {
          for (let round = 0; round < 5; round++) {
            const [client, other] = [rig.client(), rig.client()];
            const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
            client.send(get('/one') + get('/two'));
            await until(() => held.length === 1, 'the first request at the endpoint');
            // Waits for the only connection that there may be.
            other.send(get('/two'));
            await until(() => rig.pool.sizes().queued === 1, 'a request in line');
            held.pop()?.();
            expect((await client.response()).body).to.match(/^A+$/);
            expect((await client.response()).body).to.equal('two');
            expect((await other.response()).body).to.equal('two');
            for (const each of [client, other]) each.destroy();
          }
          await until(() => rig.context.outstanding === 0, 'every pick to be finished');
        } finally {
          await rig.stop();
          for (const socket of sockets) socket.destroy();
          backend.close();
        }
      });
  });
