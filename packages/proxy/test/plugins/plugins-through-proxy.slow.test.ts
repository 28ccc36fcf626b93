import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings, silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { Registry as Metrics } from 'prom-client';
import { startInProcessServer } from '../../src/control/serving/in-process-server.ts';
import type { Server as ProxyServer } from '../../src/control/serving/server.ts';
import { changeOf } from '../services-by-labels.ts';
import { pluginCases as cases, pluginFiles as files, type Seen } from './plugin-cases.ts';
import { sendHttp1, sendHttp2, upgrade } from './plugin-clients.ts';

async function startEndpoint(): Promise<{ readonly server: Server; seen: Seen | undefined }> {
  const endpoint = { server: createServer(), seen: undefined as Seen | undefined };
  endpoint.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    request.on('data', (bytes: Buffer) => {
      body += bytes.toString('latin1');
    });
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      endpoint.seen = { method, url, headers, body };
      response.setHeader('Set-Cookie', ['endpoint=1', 'endpoint=2']);
      const text = `${method} ${url} ${body.slice(0, 100)}`;
      response.writeHead(200, { 'X-Own': 'a', Vary: 'Accept-Encoding', 'Content-Length': Buffer.byteLength(text) });
      response.end(text);
    });
  });
  endpoint.server.on('upgrade', (request: IncomingMessage, socket) => {
    endpoint.seen = { method: 'GET', url: request.url ?? '', headers: request.headers, body: '' };
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nhello');
  });
  await new Promise<void>((resolve) => endpoint.server.listen(0, '127.0.0.1', resolve));
  return endpoint;
}

const hostOf = (number: number) => `s${number}.example`;

for (const router of ['core', 'express'] as const) {
  describe(`plug-ins of routes, ${router} router`, () => {
    let endpoint: { readonly server: Server; seen: Seen | undefined };
    let server: ProxyServer;
    let directory = '';
    let port = 0;
    const metrics = new Metrics();

    before(async () => {
      endpoint = await startEndpoint();
      directory = await mkdtemp(join(tmpdir(), 'swarmgate-plugins-'));
      for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
      server = await startServer({ HTTP_ROUTER: router, PLUGINS_DIR: directory });
    });
    after(async () => {
      await server?.stop();
      endpoint.server.closeAllConnections();
      await new Promise((resolve) => endpoint.server.close(resolve));
      await rm(directory, { recursive: true });
    });

    async function startServer(more: Record<string, string>): Promise<ProxyServer> {
      const env = { DATA_DIR: directory, HTTP2: 'true', ...more };
      const started = await startInProcessServer({
        settings: readSettings('proxy', { env, secretsDir: directory }),
        logger: silentLogger,
        metrics: more.PLUGINS_DIR === undefined ? new Metrics() : metrics,
        env,
        entrypoints: [{ port: 0, secure: false }],
        host: '127.0.0.1',
      });
      const [entrypoint] = started.entrypoints();
      port = entrypoint?.state === 'open' ? Number(/\d+$/.exec(entrypoint.address)?.[0]) : 0;
      await started.apply(await servicesOf((endpoint.server.address() as AddressInfo).port));
      return started;
    }

    for (const [number, each] of cases.entries())
      for (const [protocol, send] of [
        ['HTTP/1.1', sendHttp1],
        ['HTTP/2', sendHttp2],
      ] as const)
        it(`${each.what}, ${protocol}`, async () => {
          endpoint.seen = undefined;
          each.expect(await send(port, hostOf(number), each.requested ?? {}), endpoint.seen);
          // Whatever it did, the next request is served.
          const next = await send(port, 'plain.example', {});
          expect([next.status, next.body]).to.deep.equal([200, 'GET / ']);
        });

    const at = (what: string) => hostOf(cases.findIndex((each) => each.what === what));

    it('run before a tunnel, and may refuse it', async () => {
      const upgraded = await upgrade(
        port,
        at('one of our own changes a header of the request, before others that are named behind it'),
      );
      expect(upgraded)
        .to.match(/^HTTP\/1\.1 101 /)
        .and.include('hello');
      expect(endpoint.seen?.headers['x-team']).to.equal('a, b');
      expect(await upgrade(port, at('one responds by itself'))).to.match(/^HTTP\/1\.1 503 /);
      expect(await upgrade(port, at('an error is thrown'))).to.match(/^HTTP\/1\.1 500 /);
    });

    it('are problems of the service that names what is missing or fails', async () => {
      await sendHttp1(port, at('an error is thrown'), {});
      const problems = server.problems();
      const of = (what: string) =>
        problems
          .get(`manual/s${cases.findIndex((each) => each.what === what)}`)
          ?.map(({ reason, message }) => `${reason}: ${message}`) ?? [];
      expect(of('there is no such plug-in')).to.have.length(1);
      expect(of('there is no such plug-in')[0]).to.match(/^plugin-missing: the plug-in nowhere is not in PLUGINS_DIR/);
      expect(of('a file cannot be loaded')[0]).to.match(/^plugin-unusable: the plug-in broken .*cannot be loaded/);
      expect(of('options are refused')[0]).to.match(/^plugin-unusable: .*the option name is not set/);
      expect(of('it makes a promise')[0]).to.match(/made a promise of its options/);
      expect(of('an error is thrown')[0]).to.match(/^plugin-failed: the plug-in fails failed .*: throws$/);
      expect(of('helmet adds its headers to what the endpoint sends')).to.deep.equal([]);
    });

    it('are measured: time in each, and failures', async () => {
      const text = await metrics.metrics();
      const measured = (line: RegExp) => Number(line.exec(text)?.[1]);
      expect(measured(/swarmgate_plugin_seconds_count\{plugin="helmet"\} (\d+)/)).to.be.at.least(2);
      expect(measured(/swarmgate_plugin_seconds_sum\{plugin="counter"\} ([\d.]+)/)).to.be.greaterThan(0.002);
      expect(measured(/swarmgate_plugin_failures_total\{plugin="fails"\} (\d+)/)).to.be.at.least(10);
    });

    it('block their routes where no folder is set, and nothing else', async () => {
      const other = await startServer({ HTTP_ROUTER: router });
      try {
        expect((await sendHttp1(port, hostOf(0), {})).headers['x-swarmgate-reason']).to.equal('unsupported-feature');
        expect((await sendHttp1(port, 'plain.example', {})).status).to.equal(200);
        const [problem] = other.table().problems().get('manual/s0') ?? [];
        expect(problem?.suggestion).to.match(/Set PLUGINS_DIR .*helmet/);
      } finally {
        await other.stop();
      }
    });
  });
}

function servicesOf(port: number) {
  const routes = cases.map(({ plugins, labels }, at) => ({ host: hostOf(at), port, labels: { plugins, ...labels } }));
  return changeOf([...routes, { host: 'plain.example', port, labels: {} }]);
}
