import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import type { Server } from '../src/control/serving/server.ts';
import { readCertificate } from '../src/server/tls/certificate.ts';
import { type TestCertificate, testCertificate } from './test-certificate.ts';
import { until } from './until.ts';
import { startVerifyingServer } from './verifying-server.ts';

for (const router of ['core', 'express'] as const)
  describe(`Only authorities in CA_FILE open a route with verifyClientSsl, with the ${router} router`, () => {
    let authority: TestCertificate;
    /** An authority that Node knows, as it knows those of the web. */
    let known: TestCertificate;
    let rightful: TestCertificate;
    let stranger: TestCertificate;
    const defaults = getCACertificates('default');

    before(async () => {
      [authority, known] = await Promise.all([
        testCertificate(['own authority'], { isAuthority: true }),
        testCertificate(['known authority'], { isAuthority: true }),
      ]);
      [rightful, stranger] = await Promise.all([
        testCertificate(['rightful'], { ca: authority }),
        testCertificate(['stranger'], { ca: known }),
      ]);
      setDefaultCACertificates([...defaults, known.cert]);
    });
    after(() => setDefaultCACertificates(defaults));

    let directory: string;
    let endpoint: HttpServer;
    let server: Server;
    const clients: TLSSocket[] = [];

    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), 'swarmgate-clients-'));
      endpoint = createServer((_request, response) => response.end('in'));
      await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
      server = await startVerifyingServer(directory, authority, router);
      const { port } = endpoint.address() as AddressInfo;
      const destination = { index: 0, since: 0, servicePath: ['/'], outboundHostname: '127.0.0.1', port };
      await server.apply({
        revision: 'r:1',
        sequence: 1,
        registryId: 'r',
        changes: new Map([
          [
            'manual/closed',
            {
              key: 'manual/closed',
              definition: {
                version: 1,
                service: 'closed',
                owner: 'manual',
                source: { kind: 'rest', by: 'test' },
                updatedAt: '',
                destinations: [{ ...destination, verifyClientSsl: true }],
              },
              endpoints: undefined,
              origin: 'registry',
              addressesFresh: true,
            },
          ],
        ]),
        rejected: new Map(),
      });
    });
    afterEach(async () => {
      for (const client of clients.splice(0)) client.destroy();
      await server.stop();
      endpoint.closeAllConnections();
      endpoint.close();
      await rm(directory, { recursive: true, force: true });
    });

    async function statusFor(options: ConnectionOptions, host = 'shop.example'): Promise<string> {
      const client = connect({
        host: '127.0.0.1',
        port: server.entrypoints()[0]?.port ?? 0,
        rejectUnauthorized: false,
        ...options,
      });
      clients.push(client);
      let text = '';
      client.on('error', () => undefined);
      client.on('data', (bytes: Buffer) => {
        text += bytes.toString('latin1');
      });
      client.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      await until(() => text.includes('\r\n\r\n') || client.closed, 'a response');
      return text.slice(9, 12);
    }

    // The client chooses the name, and by it the certificate and the context.
    for (const [what, name] of [
      ['a name with a certificate', { servername: 'shop.example' }],
      ['a name without a certificate', { servername: 'no-such-name.example' }],
      ['no name', {}],
    ] as const)
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        it(`by ${what}, over ${maxVersion}`, async () => {
          const connection = { ...name, maxVersion };
          expect(await statusFor({ ...connection, cert: rightful.cert, key: rightful.key })).to.equal('200');
          expect(await statusFor({ ...connection, cert: stranger.cert, key: stranger.key })).to.equal('403');
          expect(await statusFor(connection)).to.equal('403');
        });

        it(`by ${what}, over ${maxVersion}, when the default certificate has changed`, async () => {
          const renewed = await testCertificate(['other.example']);
          const read = readCertificate('other', renewed.pem, authority.cert);
          if (!read.ok) throw new Error(read.reason);
          server.certificates?.().replace('self-signed', []);
          server.certificates?.().replace('file', [read.certificate]);
          const connection = { ...name, maxVersion };
          expect(await statusFor({ ...connection, cert: rightful.cert, key: rightful.key })).to.equal('200');
          expect(await statusFor({ ...connection, cert: stranger.cert, key: stranger.key })).to.equal('403');
        });
      }

    it('and a connection under another rule is misdirected, whatever its certificate', async () => {
      // As a source of certificates without the authorities would bring it.
      const read = readCertificate('forgot', (await testCertificate(['forgot.example'])).pem, undefined);
      if (!read.ok) throw new Error(read.reason);
      server.certificates?.().replace('file', [read.certificate]);
      const connection = { servername: 'forgot.example' };
      expect(await statusFor({ ...connection, cert: stranger.cert, key: stranger.key })).to.equal('421');
      expect(await statusFor({ ...connection, cert: rightful.cert, key: rightful.key })).to.equal('421');
      // Its session is not worth more under another name.
      expect(await statusFor({ servername: 'shop.example', cert: stranger.cert, key: stranger.key })).to.equal('403');
    });
  });
