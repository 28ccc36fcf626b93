import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server as HttpServer, type IncomingHttpHeaders } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server, type Http2Server } from 'node:http2';
import { Agent, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { Destination } from '@swarmgate/registry';
import { expect } from 'chai';
import type { Server } from '../../src/control/serving/server.ts';
import { type TestCertificate, testCertificate } from '../test-certificate.ts';
import { startVerifyingServer } from '../verifying-server.ts';

for (const router of ['core', 'express'] as const)
  describe(`Headers of the client’s certificate and Host of the service, ${router} router`, () => {
    let authority: TestCertificate;
    let jane: TestCertificate;
    let stranger: TestCertificate;
    let directory = '';
    let endpoint: HttpServer;
    let http2Endpoint: Http2Server;
    let server: Server;
    let port = 0;
    let seen: IncomingHttpHeaders[] = [];

    before(async () => {
      authority = await testCertificate(['own authority'], { isAuthority: true });
      jane = await testCertificate(['jane', 'jane.example', '192.0.2.7'], { ca: authority });
      stranger = await testCertificate(['root']);
      directory = await mkdtemp(join(tmpdir(), 'swarmgate-client-headers-'));
      endpoint = createServer((request, response) => {
        seen.push(request.headers);
        response.end('in');
      });
      endpoint.on('upgrade', (request, socket) => {
        seen.push(request.headers);
        socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      });
      http2Endpoint = createHttp2Server((request, response) => {
        seen.push({ host: request.authority, ...request.headers } as IncomingHttpHeaders);
        response.end('in');
      });
      for (const each of [endpoint, http2Endpoint])
        await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve));
      server = await startVerifyingServer(directory, authority, router);
      const [entrypoint] = server.entrypoints();
      port = entrypoint?.state === 'open' ? Number(/\d+$/.exec(entrypoint.address)?.[0]) : 0;
      const base = { since: 0, outboundHostname: '127.0.0.1', port: (endpoint.address() as AddressInfo).port };
      const all = { subjectCommonName: true, issuerCommonName: true, sans: true, serialNumber: true } as const;
      const destinations: readonly Destination[] = [
        { index: 1, ...base, servicePath: ['/pem'], passTLSClientCert: { pem: true } },
        { index: 2, ...base, servicePath: ['/info'], passTLSClientCert: { ...all, notBefore: true, notAfter: true } },
        {
          index: 3,
          ...base,
          servicePath: ['/h2c'],
          port: (http2Endpoint.address() as AddressInfo).port,
          protocol: 'h2c',
          passHostHeader: false,
        },
      ];
      await server.apply({
        revision: 'r:1',
        sequence: 1,
        registryId: 'r',
        changes: new Map([
          [
            'manual/web',
            {
              key: 'manual/web',
              definition: {
                version: 1,
                service: 'web',
                owner: 'manual',
                source: { kind: 'rest', by: 'test' },
                updatedAt: '',
                destinations,
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
    beforeEach(() => {
      seen = [];
    });
    after(async () => {
      await server.stop();
      endpoint.closeAllConnections();
      endpoint.close();
      http2Endpoint.close();
      await rm(directory, { recursive: true });
    });

    const forged = { 'x-forwarded-tls-client-cert': 'forged', x_forwarded_tls_client_cert_info: 'forged' };
    const base64Of = ({ cert }: TestCertificate) => cert.replace(/-----[A-Z ]+-----|\s/g, '');
    type Shown = TestCertificate | undefined;

    const senders: Readonly<Record<string, (path: string, shown: Shown) => Promise<void>>> = {
      'HTTP/1.1': async (path, shown) => {
        const agent = new Agent({ keepAlive: false, rejectUnauthorized: false, cert: shown?.cert, key: shown?.key });
        const request = httpsRequest({
          agent,
          host: '127.0.0.1',
          port,
          path,
          servername: 'shop.example',
          headers: forged,
        });
        request.end();
        const [response] = await once(request, 'response');
        response.resume();
        await once(response, 'end');
      },
      'HTTP/2': async (path, shown) => {
        const session = connectHttp2(`https://127.0.0.1:${port}`, {
          rejectUnauthorized: false,
          servername: 'shop.example',
          cert: shown?.cert,
          key: shown?.key,
        });
        const stream = session.request({ ':path': path, ':authority': 'shop.example', ...forged });
        await once(stream.resume(), 'close');
        session.destroy();
      },
      upgrade: async (path, shown) => {
        const socket = connectTls({
          port,
          host: '127.0.0.1',
          rejectUnauthorized: false,
          cert: shown?.cert,
          key: shown?.key,
        });
        const lines = Object.entries(forged).map(([name, value]) => `${name}: ${value}\r\n`);
        socket.write(
          `GET ${path} HTTP/1.1\r\nHost: shop.example\r\n${lines.join('')}Connection: Upgrade\r\nUpgrade: echo\r\n\r\n`,
        );
        await once(socket, 'data');
        socket.destroy();
      },
    };

    for (const [protocol, send] of Object.entries(senders)) {
      it(`sends the certificate (${protocol})`, async () => {
        await send('/pem', jane);
        expect(seen[0]?.['x-forwarded-tls-client-cert']).to.equal(base64Of(jane));
        expect(seen[0]).not.to.have.any.keys('x-forwarded-tls-client-cert-info', 'x_forwarded_tls_client_cert_info');
      });

      it(`sends what it states (${protocol})`, async () => {
        await send('/info', jane);
        const info = String(seen[0]?.['x-forwarded-tls-client-cert-info']);
        expect(info).to.match(/^[A-Za-z0-9%+._~-]+$/);
        expect(decodeURIComponent(info.replaceAll('+', ' '))).to.match(
          /^Subject="CN=jane";Issuer="CN=own authority";SerialNumber="\d+";NB="\d{10}";NA="\d{10}";SAN="jane,jane\.example,192\.0\.2\.7"$/,
        );
        expect(seen[0]).not.to.have.any.keys('x-forwarded-tls-client-cert');
      });

      for (const [what, shown] of [
        ['no certificate', () => undefined],
        ['a certificate of no authority in CA_FILE', () => stranger],
      ] as const)
        it(`sends nothing of a client with ${what} (${protocol})`, async () => {
          for (const path of ['/pem', '/info']) await send(path, shown());
          expect(seen).to.have.length(2);
          for (const each of seen)
            expect(Object.keys(each).filter((name) => /tls.client.cert/.test(name))).to.deep.equal([]);
        });
    }

    it('sends HTTP/2 services their own address as :authority with passHostHeader=false', async () => {
      await (senders['HTTP/1.1'] as (path: string, shown: Shown) => Promise<void>)('/h2c', undefined);
      expect(seen[0]?.host).to.equal(`127.0.0.1:${(http2Endpoint.address() as AddressInfo).port}`);
    });
  });
