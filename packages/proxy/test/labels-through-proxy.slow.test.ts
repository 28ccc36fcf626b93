import { mkdtemp, rm } from 'node:fs/promises';
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { readSettings, silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { Registry as Metrics } from 'prom-client';
import { startInProcessServer } from '../src/control/serving/in-process-server.ts';
import type { Server as ProxyServer } from '../src/control/serving/server.ts';
import { changeOf } from './services-by-labels.ts';

/** What the backend saw, which it returns as JSON. */
interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

interface Received {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly seen: Seen | undefined;
}

const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

interface Case {
  readonly what: string;
  readonly labels: Record<string, string>;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly expect: (responded: Received) => void;
}

const status = (required: number, reason?: string) => (responded: Received) => {
  expect(responded.status).to.equal(required);
  expect(responded.headers['x-swarmgate-reason']).to.equal(reason);
};

const cases: readonly Case[] = [
  { what: 'no label but the match', labels: {}, expect: status(200) },
  { what: 'allowedMethods', labels: { allowedMethods: 'GET' }, method: 'POST', expect: status(403, 'method-denied') },
  { what: 'deniedMethods', labels: { deniedMethods: 'POST' }, method: 'POST', expect: status(403, 'method-denied') },
  { what: 'denyHttp', labels: { denyHttp: 'true' }, expect: status(403, 'http-denied') },
  {
    what: 'denyHttp behind a trusted TLS hop',
    labels: { denyHttp: 'true' },
    headers: { 'x-forwarded-proto': 'https' },
    expect: status(200),
  },
  {
    what: 'httpsOnly, with PUBLISHED_PORTS=443:8443',
    labels: { httpsOnly: 'true', httpsRedirectCode: '301' },
    path: '/a/b?c=d',
    expect: (responded) => {
      status(301, 'https-required')(responded);
      expect(responded.headers.location).to.match(/^https:\/\/s\d+\.example:8443\/a\/b\?c=d$/);
    },
  },
  {
    what: 'redirectWhenHttpProto',
    labels: { redirectWhenHttpProto: 'true' },
    headers: { 'x-forwarded-proto': 'http' },
    expect: status(302, 'https-required'),
  },
  { what: 'verifyClientSsl', labels: { verifyClientSsl: 'true' }, expect: status(403, 'client-certificate-required') },
  {
    what: 'allowedAddresses, not this one',
    labels: { allowedAddresses: '10.0.0.0/8' },
    expect: status(403, 'address-denied'),
  },
  { what: 'allowedAddresses, this one', labels: { allowedAddresses: '127.0.0.1' }, expect: status(200) },
  {
    what: 'users, without credentials',
    labels: { users: 'jane:hush' },
    expect: (responded) => {
      status(401, 'credentials-required')(responded);
      expect(responded.headers['www-authenticate']).to.match(/^Basic realm="s\d+Realm"$/);
    },
  },
  {
    what: 'users, a wrong password',
    labels: { users: 'jane:hush' },
    headers: basic('jane:no'),
    expect: status(401, 'credentials-wrong'),
  },
  {
    what: 'users, the right one',
    labels: { users: 'jane:hush' },
    headers: basic('jane:hush'),
    expect: ({ status: code, seen }) => {
      expect(code).to.equal(200);
      expect(seen?.headers.authorization).to.equal(undefined);
    },
  },
  {
    what: 'reqPathSearchReplace',
    labels: { reqPathSearchReplace: '^/api/(v[0-9]),/\\1' },
    path: '/api/v1/x?q=/api',
    expect: ({ seen }) => expect(seen?.url).to.equal('/v1/x?q=/api'),
  },
  {
    what: 'request headers',
    labels: { addReqHeader: 'X-A 1', setReqHeader: 'X-B %[src]', delReqHeader: 'X-C' },
    headers: { 'x-b': 'mine', 'x-c': 'mine' },
    expect: ({ seen }) => {
      expect(seen?.headers).to.include({ 'x-a': '1', 'x-b': '127.0.0.1' });
      expect(seen?.headers).to.not.have.property('x-c');
    },
  },
  {
    what: 'response headers',
    labels: { setResHeader: 'X-A "b, c",X-S 1 if { ssl_fc }', delResHeader: 'X-Backend' },
    expect: ({ headers }) => {
      expect(headers['x-a']).to.equal('b, c');
      expect(headers).to.not.have.any.keys('x-s', 'x-backend');
    },
  },
  {
    what: 'the announcement of HTTP/3 elsewhere',
    labels: { setResHeader: `Alt-Svc 'h3=":443"; ma=60'` },
    expect: ({ headers }) => expect(headers['alt-svc']).to.equal('h3=":443"; ma=60'),
  },
  {
    what: 'sessionType',
    labels: { sessionType: 'sticky-server' },
    expect: ({ headers }) =>
      expect(headers['set-cookie']?.[0]).to.match(/^s\d+=swarmgate\.[\w-]{16}; Path=\/; HttpOnly/),
  },
  {
    what: 'sessionCookie',
    labels: { sessionType: 'sticky-server', sessionCookie: 'backend' },
    headers: { cookie: 'a=b; backend=swarmgate.gone' },
    expect: ({ headers, seen }) => {
      expect(headers['set-cookie']?.[0]).to.match(/^backend=swarmgate\.[\w-]{16}; Path=\/; HttpOnly/);
      expect(seen?.headers.cookie).to.equal('a=b');
    },
  },
  {
    what: 'connectionMode http-server-close',
    labels: { connectionMode: 'http-server-close' },
    headers: { connection: 'keep-alive' },
    expect: ({ headers, seen }) => {
      expect(seen?.headers.connection).to.equal('close');
      expect(headers.connection).to.not.equal('close');
    },
  },
  {
    what: 'connectionMode httpclose',
    labels: { connectionMode: 'httpclose' },
    headers: { connection: 'keep-alive' },
    expect: ({ headers, seen }) => {
      expect(seen?.headers.connection).to.equal('close');
      expect(headers.connection).to.equal('close');
    },
  },
  {
    what: 'compressionAlgo',
    labels: { compressionAlgo: 'gzip' },
    headers: { 'accept-encoding': 'gzip', 'x-pad': 'y'.repeat(500) },
    expect: ({ headers, body }) => {
      expect(headers).to.include({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
      expect(gunzipSync(body).toString()).to.include('yyyy');
    },
  },
  {
    what: 'compressionAlgo, in the form that the client prefers',
    labels: { compressionAlgo: 'br,gzip,zstd' },
    headers: { 'accept-encoding': 'gzip;q=0.5, zstd', 'x-pad': 'y'.repeat(500) },
    expect: ({ headers, body }) => {
      expect(headers).to.include({ 'content-encoding': 'zstd', vary: 'Accept-Encoding' });
      expect(zstdDecompressSync(body).toString()).to.include('yyyy');
    },
  },
  {
    what: 'rewriteResponse',
    labels: { reqPathSearchReplace: '^/api,', rewriteResponse: 'true' },
    method: 'MOVE',
    path: '/api/users',
    headers: { destination: '/api/people', 'x-location': '/login' },
    expect: ({ headers, seen }) => {
      expect([seen?.url, seen?.headers.destination]).to.deep.equal(['/users', '/people']);
      expect(headers.location).to.equal('/api/login');
    },
  },
  {
    what: 'no rewriteResponse',
    labels: { reqPathSearchReplace: '^/api,' },
    path: '/api/users',
    headers: { 'x-location': '/login' },
    expect: ({ headers }) => expect(headers.location).to.equal('/login'),
  },
  {
    what: 'compressionAlgo, a client that does not want it',
    labels: { compressionAlgo: 'gzip' },
    expect: ({ headers, seen }) => {
      expect(headers).to.not.have.property('content-encoding');
      expect(seen?.method).to.equal('GET');
    },
  },
];

for (const router of ['core', 'express'] as const) {
  describe(`labels through the proxy, ${router} router`, () => {
    let backend: Server;
    let server: ProxyServer;
    let dataDir = '';
    let port = 0;

    before(async () => {
      backend = createServer(echo);
      await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
      dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-labels-'));
      const env = { DATA_DIR: dataDir, HTTP_ROUTER: router, TRUSTED_PROXIES: '127.0.0.1', PUBLISHED_PORTS: '443:8443' };
      const settings = readSettings('proxy', { env, secretsDir: dataDir });
      server = await startInProcessServer({
        settings,
        logger: silentLogger,
        metrics: new Metrics(),
        env,
        entrypoints: [{ port: 0, secure: false }],
        host: '127.0.0.1',
      });
      const [entrypoint] = server.entrypoints();
      port = entrypoint?.state === 'open' ? Number(/\d+$/.exec(entrypoint.address)?.[0]) : 0;
      await server.apply(await servicesOf((backend.address() as AddressInfo).port));
    });

    after(async () => {
      await server.stop();
      backend.closeAllConnections();
      await new Promise((resolve) => backend.close(resolve));
      await rm(dataDir, { recursive: true });
    });

    for (const [number, each] of cases.entries()) {
      it(each.what, async () => {
        each.expect(await send(port, hostOf(number), each));
      });
    }

    it('rateLimit', async () => {
      const host = hostOf(cases.length);
      const responses = [await send(port, host), await send(port, host), await send(port, host)];
      expect(responses.map((reply) => reply.status)).to.deep.equal([200, 200, 429]);
      expect(Number(responses[2]?.headers['retry-after'])).to.be.greaterThan(0);
    });
  });
}

const hostOf = (number: number) => `s${number}.example`;

function servicesOf(port: number) {
  return changeOf(
    [...cases.map((each) => each.labels), { rateLimit: '2/h' }].map((labels, at) => ({
      host: hostOf(at),
      port,
      labels,
    })),
  );
}

function echo(request: IncomingMessage, response: import('node:http').ServerResponse): void {
  request.resume();
  const { method = '', url = '', headers } = request;
  const location = headers['x-location'];
  if (location !== undefined) response.setHeader('Location', location);
  response.writeHead(200, { 'Content-Type': 'application/json', 'X-Backend': 'echo' });
  response.end(JSON.stringify({ method, url, headers } satisfies Seen));
}

function send(port: number, host: string, sent: Partial<Case> = {}): Promise<Received> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', path = '/', headers = {} } = sent;
    const request = httpRequest(
      { host: '127.0.0.1', port, method, path, headers: { host, ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const body = Buffer.concat(chunks);
          const seen =
            response.headers['x-swarmgate-reason'] === undefined && response.headers['content-encoding'] === undefined;
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body,
            seen: seen ? (JSON.parse(body.toString()) as Seen) : undefined,
          });
        });
      },
    );
    request.once('error', reject);
    request.end();
  });
}
