import { once } from 'node:events';
import { connect } from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { get } from '../../../test/conformance/suite.ts';
import { FrameClient } from '../../../test/frame-client.ts';
import { onHttp2, sendHttp2 as send } from '../../../test/http2-stage.ts';
import { data, headers, plainGet, plainPost } from '../../../test/http2-wire.ts';
import type { Rig } from '../../../test/server-rig.ts';
import { testCertificate } from '../../../test/test-certificate.ts';
import { Flag } from '../../http/http2/frames.ts';
import { readCertificate } from '../tls/certificate.ts';
import { CertificateStore } from '../tls/certificate-store.ts';
import { SecureEntrypoint } from '../tls/secure-entrypoint.ts';
import { makeSelfSigned } from '../tls/self-signed.ts';

/** A port that ends TLS before the rig's server. */
async function onSecurePort(rig: Rig, certificates: CertificateStore, run: (port: number) => Promise<void>) {
  const entrypoint = new SecureEntrypoint(
    { certificates, handshakeMs: 5_000, http2: true },
    (socket) => rig.server.accept(socket, { port: 443, secure: true }),
    silentLogger,
  );
  const listener = createServer((socket) => entrypoint.accept(socket));
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  try {
    await run((listener.address() as AddressInfo).port);
  } finally {
    entrypoint.stop();
    listener.close();
  }
}

describe('HTTP/2 over TLS', () => {
  it('is chosen by ALPN on a secure port, before HTTP/1.1', () =>
    onHttp2(async ({ rig }) => {
      const certificates = new CertificateStore();
      certificates.replace('self-signed', [await makeSelfSigned(undefined)]);
      await onSecurePort(rig, certificates, async (port) => {
        const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
        expect((await send(session, { ':path': '/', ':scheme': 'https' })).status).to.equal(200);
        expect(rig.context.reports[0]).to.include({ protocol: 'HTTP/2', secure: true });
        session.destroy();
        const options = { port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] };
        const http1 = connectSecurely(options);
        http1.write(get('/'));
        const [first] = await once(http1, 'data');
        expect(String(first)).to.match(/^HTTP\/1\.1 200 /);
        http1.destroy();
      });
    }));

  it('serves frames beyond the share of a turn in their order, of several clients at once', () =>
    onHttp2(async ({ rig, backend }) => {
      const certificates = new CertificateStore();
      certificates.replace('self-signed', [await makeSelfSigned(undefined)]);
      await onSecurePort(rig, certificates, async (port) => {
        const options = { port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] };
        const lettersOf = (client: number) => Array.from({ length: 6_000 }, (_, at) => String((at + client) % 10));
        const clients = await Promise.all(
          Array.from({ length: 4 }, async () => {
            const client = new FrameClient(connectSecurely(options));
            client.send(headers(1, plainGet));
            await client.responded(1);
            return client;
          }),
        );
        for (const [at, client] of clients.entries()) {
          const small = Buffer.concat(lettersOf(at).map((letter, index) => data(3, letter, index === 5_999)));
          client.send(Buffer.concat([headers(3, plainPost, Flag.endHeaders), small, headers(5, plainGet)]));
        }
        for (const client of clients) await client.responded(5);
        const bodies = backend.requests.map(({ body }) => body).filter((body) => body !== '');
        expect(bodies).to.have.members(clients.map((_, at) => lettersOf(at).join('')));
        for (const client of clients) client.destroy();
      });
    }));

  describe('on a connection whose client requested the certificate of one host', () => {
    const certificates = new CertificateStore();
    const certificateOf = async (hosts: string[]) => {
      const read = readCertificate(hosts[0] as string, (await testCertificate(hosts)).pem, undefined);
      if (!read.ok) throw new Error(read.reason);
      return read.certificate;
    };
    before(async () => {
      certificates.replace('self-signed', [await makeSelfSigned(undefined)]);
      certificates.replace('file', [await certificateOf(['a.test', '*.a.test']), await certificateOf(['b.test'])]);
      certificates.replace('registry', [await certificateOf(['new.a.test'])]);
    });

    const statusesOf = (servername: string | undefined, authorities: readonly string[]) => {
      const statuses: number[] = [];
      const play = onHttp2(async ({ rig }) => {
        await onSecurePort(rig, certificates, async (port) => {
          const named = servername === undefined ? {} : { servername };
          const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false, ...named });
          for (const authority of authorities) {
            const response = await send(session, { ':path': '/', ':scheme': 'https', ':authority': authority });
            statuses.push(response.status);
          }
          session.destroy();
        });
      });
      return play.then(() => statuses);
    };
    // The default of the store is the self-signed certificate, for hosts that none of the others names.
    const cases: readonly (readonly [string | undefined, string, number])[] = [
      ['a.test', 'a.test', 200],
      ['a.test', 'A.Test:443', 200],
      ['a.test', 'x.a.test', 200],
      ['a.test', 'b.test', 421],
      ['a.test', 'x.y.a.test', 200],
      // It has a certificate of its own, but this connection's holds for it, too.
      ['a.test', 'new.a.test', 200],
      ['b.test', 'a.test', 421],
      ['b.test', 'x.a.test:8443', 421],
      ['b.test', 'without.test', 200],
      ['without.test', 'other.test', 200],
      ['without.test', 'b.test', 421],
      [undefined, 'a.test', 200],
      [undefined, 'b.test', 200],
    ];
    for (const [servername, authority, status] of cases)
      it(`responds to ${authority} with ${status} where ${servername ?? 'no name'} was requested`, async () => {
        expect(await statusesOf(servername, [authority])).to.deep.equal([status]);
      });

    it('goes on serving its own host after a 421', async () => {
      expect(await statusesOf('b.test', ['b.test', 'a.test', 'b.test', 'a.test'])).to.deep.equal([200, 421, 200, 421]);
    });
  });
});
