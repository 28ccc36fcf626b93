import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { eventually, type ProxyUnderTest, startProxyUnderTest } from '../running-proxy.ts';
import { type ForeignEndpoint, startEndpoint } from './foreign-endpoint.ts';

for (const router of ['core', 'express'])
  describe(`the label protocol, from REST to the endpoint, ${router}`, () => {
    let under: ProxyUnderTest;
    let port: number;
    let http2: ForeignEndpoint;
    let secure: ForeignEndpoint;
    let http1: Server;

    before(async () => {
      [http2, secure] = await Promise.all([startEndpoint(), startEndpoint({}, true)]);
      http1 = createServer((_request, response) => response.end('http1'));
      await new Promise<void>((resolve) => http1.listen(0, '127.0.0.1', resolve));
      under = await startProxyUnderTest({
        env: { HTTP_ROUTER: router },
        onServer: (server) => {
          port = server.entrypoints()[0]?.port ?? 0;
        },
      });
    });
    after(async () => {
      await under.stop();
      await Promise.all([http2.stop(), secure.stop()]);
      http1.close();
    });

    async function reconfigure(query: string, upstreamPort: number): Promise<void> {
      const path = `/v1/docker-flow-proxy/reconfigure?serviceName=web&servicePath=/web&outboundHostname=127.0.0.1&port=${upstreamPort}&${query}`;
      const { status, text } = await under.call('GET', path);
      expect(status, text).to.equal(200);
    }
    const request = () =>
      new Promise<readonly [number | undefined, string, unknown]>((resolve, reject) => {
        get({ host: '127.0.0.1', port, path: '/web', agent: false }, (response) => {
          let body = '';
          response.on('data', (chunk: Buffer) => {
            body += chunk.toString();
          });
          response.on('end', () => resolve([response.statusCode, body, response.headers['x-swarmgate-reason']]));
        }).on('error', reject);
      });
    const http1Port = () => (http1.address() as AddressInfo).port;
    async function shownProblems(): Promise<{ reason: string; message: string; suggestion: string }[]> {
      const { body } = await under.call('GET', '/v1/problems');
      const all = body.problems as { service: string; reason: string; message: string; suggestion: string }[];
      return all.filter(({ service, reason }) => service === 'web' && reason === 'wrong-protocol');
    }

    const spoken = [
      ['', () => http1Port(), 'http1'],
      ['protocol=http1', () => http1Port(), 'http1'],
      ['protocol=h2c', () => http2.endpoint.port, 'GET /web'],
      ['protocol=grpc', () => http2.endpoint.port, 'GET /web'],
      ['protocol=h2', () => secure.endpoint.port, 'GET /web'],
      ['protocol=h2c&sslVerifyNone=true', () => secure.endpoint.port, 'GET /web'],
      ['protocol=grpc&sslVerifyNone=true', () => secure.endpoint.port, 'GET /web'],
    ] as const;
    for (const [query, upstreamPort, body] of spoken)
      it(`reaches the service by its value: ${query}`, async () => {
        await reconfigure(query, upstreamPort());
        expect(await request()).to.deep.equal([200, body, undefined]);
        expect(await shownProblems()).to.deep.equal([]);
      });

    const wrong = [
      ['protocol=h2c', () => http1Port(), 'speaks HTTP/1.1', 'protocol=http1'],
      ['protocol=h2', () => http2.endpoint.port, 'speaks no TLS', 'protocol=h2c'],
      ['', () => http2.endpoint.port, 'speaks HTTP/2', 'protocol=h2c'],
    ] as const;
    for (const [query, upstreamPort, message, mend] of wrong)
      it(`is a problem where the service ${message}: ${query}; until it is corrected`, async () => {
        await reconfigure(query, upstreamPort());
        const [status, , reason] = await request();
        expect([status, reason]).to.deep.equal([502, 'wrong-protocol']);
        await eventually('the problem', async () => (await shownProblems()).length === 1);
        const [problem] = await shownProblems();
        expect(problem?.message).to.include(message);
        expect(problem?.suggestion).to.include(`set ${mend}`);
        await reconfigure(mend, upstreamPort());
        expect(await shownProblems()).to.deep.equal([]);
        expect((await request())[0]).to.equal(200);
      });
  });
