import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Destination } from '@swarmgate/registry';
import { expect } from 'chai';
import { startEndpoint } from '../../test/http2-endpoint/foreign-endpoint.ts';
import { testCertificate } from '../../test/test-certificate.ts';
import { endpointAt, tinyRoute } from '../../test/test-context.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { checkEndpoint } from './check-endpoint.ts';

describe('a health check of a real endpoint', () => {
  const ended = new AbortController();
  let server: Server;
  let seen: string[];
  let status: number;
  let endpoint: Endpoint;
  const passesCheck = (destination: Partial<Destination>, withinMs = 20_000) =>
    checkEndpoint(endpoint, tinyRoute('web', destination), withinMs, ended.signal);

  beforeEach(async () => {
    seen = [];
    status = 200;
    server = createServer((request, response) => {
      seen.push(`${request.headers.host} ${request.url}`);
      if (status > 0) response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endpoint = endpointAt((server.address() as AddressInfo).port);
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('passes by 200 to 399, and requests the path under the service’s name', async () => {
    const destination = { checkPath: '/health?x', serviceDomain: ['*.any.example', 'shop.example'] };
    expect(await passesCheck(destination)).to.equal(true);
    expect(seen).to.deep.equal(['shop.example /health?x']);
    for (const [each, passes] of [
      [302, true],
      [404, false],
      [503, false],
    ] as const) {
      status = each;
      expect(await passesCheck(destination), String(each)).to.equal(passes);
    }
  });

  it('fails where no response comes, or no connection', async () => {
    status = 0;
    expect(await passesCheck({ checkPath: '/' }, 100)).to.equal(false);
    server.close();
    server.closeAllConnections();
    expect(await passesCheck({ checkPath: '/' })).to.equal(false);
    expect(await passesCheck({ checkTcp: true })).to.equal(false);
  });

  it('is content with a connection for checkTcp', async () => {
    expect(await passesCheck({ checkTcp: true })).to.equal(true);
    expect(seen).to.deep.equal([]);
  });

  describe('over TLS', () => {
    const ways: readonly Partial<Destination>[] = [{ checkPath: '/health' }, { checkTcp: true }];

    it('passes whatever the certificate names', async () => {
      const { cert, key } = await testCertificate(['other.example']);
      const paths: unknown[] = [];
      const secure = createSecureServer({ cert, key }, (request, response) => {
        paths.push(request.url);
        response.end();
      });
      await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
      endpoint = endpointAt((secure.address() as AddressInfo).port, { secure: true });
      for (const way of ways) expect(await passesCheck(way), JSON.stringify(way)).to.equal(true);
      expect(paths).to.deep.equal(['/health']);
      secure.closeAllConnections();
      secure.close();
    });

    it('fails where the endpoint speaks none, as a request would', async () => {
      endpoint = { ...endpoint, secure: true };
      for (const way of ways) expect(await passesCheck(way), JSON.stringify(way)).to.equal(false);
      expect(seen).to.deep.equal([]);
    });
  });

  describe('by HTTP/2', () => {
    const http2 = { protocol: 'h2c', checkPath: '/health' } as const;

    it('is a GET of the path', async () => {
      const foreign = await startEndpoint();
      endpoint = foreign.endpoint;
      for (const [status, passes] of [
        [200, true],
        [302, true],
        [404, false],
      ] as const) {
        foreign.onRequest = (stream) => stream.respond({ ':status': status }, { endStream: true });
        expect(await passesCheck(http2), String(status)).to.equal(passes);
      }
      expect(foreign.seen.map(({ headers }) => `${headers[':method']} ${headers[':path']}`)).to.deep.equal(
        Array.from({ length: 3 }, () => 'GET /health'),
      );
      expect(foreign.seen[0]?.headers['user-agent']).to.equal('swarmgate-check');
      await foreign.stop();
    });

    it('fails where the endpoint speaks HTTP/1.1, or nothing', async () => {
      const spoken = endpoint;
      endpoint = { ...spoken, http2: true };
      expect(await passesCheck(http2)).to.equal(false);
      server.close();
      server.closeAllConnections();
      expect(await passesCheck(http2)).to.equal(false);
    });

    // HealthCheckResponse of grpc.health.v1: SERVING is 1, NOT_SERVING 2.
    const serving = [0, 0, 0, 0, 2, 8, 1];
    const grpcCases: readonly (readonly [string, readonly number[], string, boolean])[] = [
      ['SERVING', serving, '0', true],
      ['NOT_SERVING', [0, 0, 0, 0, 2, 8, 2], '0', false],
      ['UNKNOWN, which is left out', [0, 0, 0, 0, 0], '0', false],
      ['SERVING with an error', serving, '13', false],
      ['UNIMPLEMENTED', [], '12', false],
      ['a compressed message', [1, 0, 0, 0, 2, 8, 1], '0', false],
      ['a message cut short', serving.slice(0, 6), '0', false],
    ];
    for (const [name, body, status, passes] of grpcCases)
      it(`is grpc.health.v1.Health/Check for gRPC: ${name}`, async () => {
        const foreign = await startEndpoint();
        endpoint = foreign.endpoint;
        foreign.onRequest = (stream) => {
          stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
          stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }));
          stream.end(Buffer.from(body));
        };
        expect(await passesCheck({ protocol: 'grpc', checkPath: '/shop.Cart' })).to.equal(passes);
        const [seen] = foreign.seen;
        expect([seen?.headers[':method'], seen?.headers[':path'], seen?.headers.te]).to.deep.equal([
          'POST',
          '/grpc.health.v1.Health/Check',
          'trailers',
        ]);
        expect(seen?.headers['content-type']).to.equal('application/grpc');
        expect(seen?.body).to.equal('\0\0\0\0\x0b\n\tshop.Cart');
        await foreign.stop();
      });

    it('checks the whole gRPC server by /, and reads an error without a message', async () => {
      const foreign = await startEndpoint();
      endpoint = foreign.endpoint;
      foreign.onRequest = (stream) =>
        stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': 12 }, { endStream: true });
      expect(await passesCheck({ protocol: 'grpc', checkPath: '/' })).to.equal(false);
      expect(foreign.seen[0]?.body).to.equal('\0\0\0\0\0');
      await foreign.stop();
    });
  });
});
