import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createSecureContext, connect as secureConnect, TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { testCertificate } from '../../test/test-certificate.ts';
import { until } from '../../test/until.ts';
import { DeadlineSweep } from '../transport/deadline-sweep.ts';
import { TakenOutput } from './taken-output.ts';

interface Ends {
  readonly server: Socket;
  readonly client: Socket;
}

async function connected(secure: boolean, run: (ends: Ends) => Promise<void>): Promise<void> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const { cert, key } = await testCertificate(['a.example']);
  const client = secure ? secureConnect({ port, rejectUnauthorized: false }) : connect(port);
  client.on('error', () => undefined);
  const [raw] = (await once(listener, 'connection')) as [Socket];
  const server = secure
    ? new TLSSocket(raw, { isServer: true, secureContext: createSecureContext({ cert, key }) })
    : raw;
  server.on('error', () => undefined);
  client.pause();
  if (secure) await once(server, 'secure');
  try {
    await run({ server, client });
  } finally {
    client.destroy();
    server.destroy();
    listener.close();
  }
}

describe('what a client has taken of the output', () => {
  /** More than the system keeps for both sides. */
  const large = Buffer.alloc(64_000_000);

  for (const secure of [false, true])
    it(`grows while a part of a piece leaves${secure ? ', below TLS' : ''}`, () =>
      connected(secure, async ({ server, client }) => {
        const sweep = new DeadlineSweep();
        const taken = new TakenOutput(server, 1);
        const before = taken.totalBytes;
        taken.watch(sweep, 1_000, false);
        server.write(large);
        await until(() => taken.totalBytes > before, 'a part to leave');
        for (let round = 0; round < 3; round += 1) {
          const { totalBytes } = taken;
          taken.watch(sweep, 1_000, false);
          // It takes as little as the system shows.
          await until(() => {
            client.read();
            return taken.totalBytes > totalBytes;
          }, 'more to leave');
          expect([server.writableLength, taken.isSilent]).to.deep.equal([large.length, false]);
          expect([taken.isSlow(1_000), taken.isSlow(1_000 * large.length)]).to.deep.equal([true, false]);
        }
        taken.watch(sweep, 1_000, false);
        expect([taken.isSilent, taken.isSlow(1_000)]).to.deep.equal([true, false]);
      }));

  it('is what every byte is, as long as it has only to close', () =>
    connected(false, async ({ server }) => {
      const sweep = new DeadlineSweep(100, () => 0);
      const taken = new TakenOutput(server);
      expect(taken.watch(sweep, 20_000, true)).to.equal(2_000);
      server.write('all of it');
      await until(() => server.writableLength === 0, 'it to leave');
      expect([taken.isSilent, taken.isSlow(1_000)]).to.deep.equal([true, false]);
    }));
});
