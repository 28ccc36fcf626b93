import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { WebSocketServer } from 'ws';
import { testCertificate } from '../../../packages/proxy/test/test-certificate.ts';
import { withPage } from '../../harness/browser.ts';
import { freePorts } from '../../harness/free-ports.ts';
import { send, untilResponds } from '../../harness/http.ts';
import { type SwarmgateProcess, startSwarmgate } from '../../harness/swarmgate-process.ts';
import { until } from '../../harness/until.ts';

const parts = 200;

/** What the access log says of one exchange. */
interface Logged {
  readonly path?: string;
  readonly protocol?: string;
  readonly status?: number;
}

for (const [workers, router] of [
  [0, 'core'],
  [2, 'core'],
  [0, 'express'],
] as const)
  describe(`Chromium over HTTP/2, ${workers} workers, the ${router} router`, function () {
    this.timeout(120_000);
    let folder: string;
    let backend: Server;
    let proxy: SwarmgateProcess;
    let ports: { readonly admin: number; readonly plain: number; readonly secure: number };
    let origin: string;

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'swarmgate-http2-'));
      mkdirSync(join(folder, 'certs'), { mode: 0o700 });
      const { pem } = await testCertificate(['localhost']);
      writeFileSync(join(folder, 'certs', 'localhost.pem'), pem, { mode: 0o600 });
      backend = createServer(respond);
      const sockets = new WebSocketServer({ server: backend, path: '/socket' });
      sockets.on('connection', (socket) => {
        socket.send('first');
        socket.on('message', (text) => socket.send(`echo ${text}`));
      });
      await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
      const [admin = 0, plain = 0, secure = 0] = await freePorts(3);
      ports = { admin, plain, secure };
      proxy = startSwarmgate(['standalone'], {
        env: {
          DATA_DIR: folder,
          ADMIN_PORT: String(admin),
          DEFAULT_PORTS: `${plain},${secure}:ssl`,
          DOCKER_HOST: `unix://${join(folder, 'no-docker.sock')}`,
          WORKERS: String(workers),
          HTTP_ROUTER: router,
          ACCESS_LOG: 'json',
        },
      });
      origin = `https://localhost:${secure}`;
      await untilResponds({ url: `http://127.0.0.1:${admin}/readyz` }, 200, { withinMs: 60_000 });
      const { port } = backend.address() as AddressInfo;
      const service = `serviceName=page&servicePath=/&port=${port}&outboundHostname=127.0.0.1`;
      await untilResponds({ url: `http://127.0.0.1:${admin}/v1/docker-flow-proxy/reconfigure?${service}` }, 200);
      await untilResponds({ url: `http://127.0.0.1:${plain}/part/0` }, 200);
    });

    after(async () => {
      await proxy?.remove();
      backend?.closeAllConnections();
      backend?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const logged = (path: string) =>
      proxy
        .log()
        .split('\n')
        .filter((line) => line.includes(`"${path}"`))
        .flatMap((line): Logged[] => {
          try {
            return [JSON.parse(line) as Logged];
          } catch {
            return [];
          }
        })
        .filter((each) => each.path === path);

    it(`loads a page of ${parts} parts on one connection`, () =>
      withPage(
        async (page) => {
          const connections = new Set<string>();
          const session = await page.context().newCDPSession(page);
          await session.send('Network.enable');
          const urls = new Map<string, string>();
          const failures: string[] = [];
          session.on('Network.requestWillBeSent', ({ requestId, request }) => urls.set(requestId, request.url));
          session.on('Network.loadingFailed', ({ requestId, errorText }) =>
            failures.push(`${urls.get(requestId)} ${errorText}`),
          );
          arrived.clear();
          session.on('Network.responseReceived', ({ response }) => {
            if (response.url.startsWith(origin)) connections.add(`${response.protocol} ${response.connectionId}`);
          });
          await page.goto(`${origin}/page`);
          const all = Array.from({ length: parts }, (_, at) => at);
          // The page may be painted rarely on a busy machine: the condition is not looked at with its frames.
          const wait = { polling: 100, timeout: 90_000 };
          const condition = `Object.keys(window.statuses).length === ${parts}`;
          const waited = await page.waitForFunction(condition, undefined, wait).then(
            () => 'all settled',
            (error: Error) => error.message,
          );
          const statuses = (await page.evaluate('window.statuses')) as Readonly<Record<number, unknown>>;
          const wrong = all.filter((at) => statuses[at] !== 200);
          if (wrong.length > 0) {
            const unmet = wrong.map(
              (at) => `${at}: ${statuses[at]}${arrived.has(`/part/${at}`) ? ', at the service' : ''}`,
            );
            const lines = wrong.flatMap((at) => logged(`/part/${at}`)).slice(0, 3);
            const shown = { waited, connections: [...connections], failures: failures.slice(0, 5), lines, unmet };
            const { body } = await send({ url: `http://127.0.0.1:${ports.admin}/metrics` });
            const metrics = body
              .split('\n')
              .filter((line) => /^swarmgate_(in_flight|http_connections|upstream_)/.test(line));
            throw new Error(`${wrong.length} of ${parts} parts: ${JSON.stringify({ ...shown, metrics })}`);
          }
          expect([...connections].map((each) => each.split(' ')[0])).to.deep.equal(['h2']);
          // Lines of several processes may run into each other.
          const part = () => all.flatMap((at) => logged(`/part/${at}`)).at(-1);
          await until('a part is logged', async () => part()?.protocol === 'HTTP/2');
          expect(part()).to.include({ protocol: 'HTTP/2', status: 200 });
        },
        { ignoreHTTPSErrors: true },
      ));

    it('streams a response as it is written, and a request as it is made', () =>
      withPage(
        async (page) => {
          await page.goto(`${origin}/empty`);
          const seen = await page.evaluate(async () => {
            const response = await fetch('/slow');
            const reader = (response.body as ReadableStream<Uint8Array>).getReader();
            const texts: string[] = [];
            for (let at = 0; at < 3; at++) {
              const { value } = await reader.read();
              texts.push(new TextDecoder().decode(value));
              // The service writes the next piece only when it is requested to.
              await fetch(`/next`);
            }
            return texts;
          });
          expect(seen).to.deep.equal(['piece 0', 'piece 1', 'piece 2']);
          const echoed = await page.evaluate(async () => {
            const body = new ReadableStream({
              start(controller) {
                for (const text of ['a', 'b', 'c']) controller.enqueue(new TextEncoder().encode(text.repeat(50_000)));
                controller.close();
              },
            });
            const init = { method: 'POST', body, duplex: 'half' };
            return (await (await fetch('/length', init as RequestInit)).text()) as string;
          });
          expect(echoed).to.equal('150000');
        },
        { ignoreHTTPSErrors: true },
      ));

    it('opens a WebSocket inside the connection that it has', () =>
      withPage(
        async (page) => {
          await page.goto(`${origin}/empty`);
          const before = logged('/socket').length;
          const open = () =>
            page.evaluate(
              (url) =>
                new Promise<string[]>((resolve, reject) => {
                  const received: string[] = [];
                  const socket = new WebSocket(url);
                  socket.onerror = () => reject(new Error('the socket failed'));
                  socket.onmessage = ({ data }) => {
                    received.push(String(data));
                    if (received.length === 1) socket.send('hello');
                    else socket.close(1000);
                  };
                  socket.onclose = () => resolve(received);
                }),
              `wss://localhost:${ports.secure}/socket`,
            );
          // Whether a connection has room for it is the browser's decision; on a busy machine it has opened another one.
          await until('one is inside the connection', async () => {
            const count = logged('/socket').length;
            expect(await open()).to.deep.equal(['first', 'echo hello']);
            await until('the tunnel is logged', async () => logged('/socket').length > count);
            return logged('/socket').at(-1)?.protocol === 'HTTP/2';
          });
          expect(logged('/socket').length - before).to.be.at.most(3);
        },
        { ignoreHTTPSErrors: true },
      ));
  });

/** Paths that have reached the service. */
const arrived = new Set<string>();
let waiting: (() => void)[] = [];

function respond(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url ?? '';
  arrived.add(path);
  if (path === '/page') {
    const fetches = Array.from(
      { length: parts },
      (_, at) =>
        `fetch('/part/${at}').then(({ status }) => note(${at}, status), (error) => note(${at}, String(error)));`,
    );
    response.setHeader('content-type', 'text/html');
    response.end(
      `<script>window.statuses = {}; const note = (at, status) => { window.statuses[at] = status; };\n${fetches.join('\n')}</script>`,
    );
  } else if (path === '/empty') {
    response.setHeader('content-type', 'text/html');
    response.end('<title>empty</title>');
  } else if (path === '/slow') {
    let piece = 0;
    const write = () => {
      response.write(`piece ${piece++}`);
      if (piece === 3) response.end();
      else waiting.push(write);
    };
    write();
  } else if (path === '/next') {
    const next = waiting;
    waiting = [];
    for (const each of next) each();
    response.end('queried');
  } else if (path === '/length') {
    let length = 0;
    request.on('data', (bytes: Buffer) => {
      length += bytes.length;
    });
    request.on('end', () => response.end(String(length)));
  } else response.end(`part ${path}`);
}
