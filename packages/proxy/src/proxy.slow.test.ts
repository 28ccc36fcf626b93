import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConsulStore, createRegistry, keyLayout, type Registry } from '@swarmgate/registry';
import { createLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { definition } from '../test/registered.ts';
import { embeddedRegistry, eventually, type ProxyUnderTest, startProxyUnderTest } from '../test/running-proxy.ts';
import type { StatusResponse } from './control/admin/response-bodies.ts';
import type { Server as ProxyServer } from './control/serving/server.ts';

const layout = keyLayout('swarmgate');
const reconfigure = '/v1/docker-flow-proxy/reconfigure?serviceName=shop&servicePath=/shop&port=80';

/** Status of a GET through the proxy's entrypoint. */
async function through(under: ProxyUnderTest, path: string): Promise<number> {
  const entrypoint = under.proxy.entrypoints()[0];
  if (entrypoint?.state !== 'open') throw new Error('no entrypoint is open');
  const reply = await fetch(`http://${entrypoint.address}${path}`);
  await reply.arrayBuffer();
  return reply.status;
}

/** The same registry, whose first read ends only when `readable` does. */
function takingItsTime(registry: Registry, readable: Promise<void>): Registry {
  async function* follow(options: Parameters<Registry['follow']>[0]) {
    const gone = new Promise<void>((resolve) => {
      options.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([readable, gone]);
    yield* registry.follow(options);
  }
  return Object.create(registry, { follow: { value: follow } }) as Registry;
}

describe('the proxy', () => {
  let dataDir: string;
  let registry: Registry;
  let under: ProxyUnderTest | undefined;
  let backend: Server;

  const start = async (env: Record<string, string> = {}, of: Registry = registry) => {
    under = await startProxyUnderTest({ registry: of, dataDir, env, replica: 'one' });
    return under;
  };
  const port = () => String((backend.address() as AddressInfo).port);

  before(async () => {
    backend = createServer((_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  });
  after(() => backend.close());
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-proxy-'));
    registry = await embeddedRegistry(join(dataDir, 'registry'));
  });
  afterEach(async () => {
    await under?.stop();
    under = undefined;
    await registry.store.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('serves its own environment’s services, which never enter the registry', async () => {
    const { call } = await start({
      DFP_SERVICE_SERVICE_NAME: 'fixed',
      DFP_SERVICE_SERVICE_PATH: '/fixed',
      DFP_SERVICE_PORT: port(),
      DFP_SERVICE_OUTBOUND_HOSTNAME: '127.0.0.1',
      DFP_SERVICE_2_SERVICE_NAME: 'wrong',
      DFP_SERVICE_2_SERVICE_PATH: '/wrong',
    });
    await eventually('ready', async () => (await call('GET', '/readyz')).status === 200);
    expect(await through(under as ProxyUnderTest, '/fixed')).to.equal(200);
    const { body } = await call('GET', '/v1/problems');
    expect(body.problems).to.have.nested.property('[0].service', 'wrong');
    const read = await registry.read(AbortSignal.timeout(20_000));
    expect(read.kind === 'snapshot' && read.snapshot.services.size).to.equal(0);
  });

  it('routes a service that was reconfigured, explains it, and responds with 503 once it is removed', async () => {
    const { call } = await start();
    await call(
      'GET',
      `/v1/docker-flow-proxy/reconfigure?serviceName=shop&servicePath=/shop&port=${port()}&outboundHostname=127.0.0.1`,
    );
    expect(await through(under as ProxyUnderTest, '/shop/cart')).to.equal(200);
    const explained = await call('GET', '/v1/explain?url=http://x.example/shop/cart?a=1&header=X-A:b');
    expect(explained.body).to.have.nested.property('winner.id', 'manual/shop/0');
    expect(explained.body).to.have.nested.property('request.path', '/shop/cart');
    expect((await call('GET', '/v1/explain?url=http://x/%2500')).status).to.equal(400);
    expect((await call('GET', '/v1/explain')).status).to.equal(400);
    await call('GET', '/v1/docker-flow-proxy/remove?serviceName=shop');
    expect(await through(under as ProxyUnderTest, '/shop/cart')).to.equal(503);
    const nothing = await call('GET', '/v1/explain?url=http://x.example/shop');
    expect(nothing.body).to.deep.include({ winner: null, answer: { status: 503, reason: 'no-route' } });
  });

  it('takes changes with the token only, from loopback too, whatever the method', async () => {
    const { call } = await start({ ADMIN_TOKEN: 's3cret' });
    for (const [method, path] of [
      ['GET', reconfigure],
      ['PUT', reconfigure],
      ['GET', '/v1/docker-flow-proxy/remove?serviceName=shop'],
      ['GET', '/v1/docker-flow-proxy/reload'],
      ['PUT', '/v1/docker-flow-proxy/cert?certName=x'],
      ['POST', '/v1/reconfigure'],
      ['POST', '/v1/check'],
      ['POST', '/v1/remove'],
      ['POST', '/v1/reload'],
      ['POST', '/v1/rollback'],
      ['POST', '/v1/restore'],
    ] as const) {
      const refused = await call(method, path);
      expect(refused.status, `${method} ${path}`).to.equal(401);
      expect(refused.headers['www-authenticate']).to.match(/^Bearer/);
    }
    const headers = { authorization: 'Bearer s3cret' };
    expect((await call('GET', `${reconfigure}&outboundHostname=127.0.0.1`, { headers })).status).to.equal(200);
    expect((await call('GET', '/v1/routes', { headers })).status).to.equal(200);
  });

  it('takes no change from a web page where no token is set', async () => {
    const { call } = await start();
    const pages: readonly Record<string, string>[] = [
      { host: 'rebound.example' },
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { 'x-forwarded-for': '10.0.0.7' },
    ];
    for (const headers of pages) {
      const refused = await call('GET', reconfigure, { headers });
      expect(refused.status, JSON.stringify(headers)).to.equal(403);
      expect(refused.body.Message).to.be.a('string').that.includes('ADMIN_TOKEN');
    }
    const read = await registry.read(AbortSignal.timeout(20_000));
    expect(read.kind === 'snapshot' && read.snapshot.services.size).to.equal(0);
  });

  it('responds with 503 NOK and keeps nothing while the registry is away, and is not ready without a first table', async () => {
    const away = createRegistry({
      store: createConsulStore({ address: '127.0.0.1:1', secure: false }),
      instance: 'swarmgate',
    });
    const { call } = await start({}, away);
    const refused = await call('GET', `${reconfigure}&outboundHostname=127.0.0.1`);
    expect(refused.status).to.equal(503);
    expect(refused.body.Status).to.equal('NOK');
    expect((await call('GET', '/readyz')).status).to.equal(503);
    expect((await call('GET', '/healthz')).status).to.equal(200);
    const { body } = await call('GET', '/v1/status');
    expect(body).to.have.nested.property('registry.reachable', false);
    expect(body.replicas).to.have.length(1);
  });

  it('lets clients in with its first routes, and refuses connections until then', async () => {
    const base = definition('manual/shop', '/shop');
    const [match] = base.destinations;
    if (match === undefined) throw new Error('a definition has a destination');
    const shop = { ...base, destinations: [{ ...match, port: Number(port()), outboundHostname: '127.0.0.1' }] };
    const signal = AbortSignal.timeout(20_000);
    await registry.publish([{ owner: 'manual', service: 'shop', definition: { document: shop } }], {
      by: 'test',
      signal,
    });
    const readable = Promise.withResolvers<void>();
    const slow = takingItsTime(registry, readable.promise);
    let server: ProxyServer | undefined;
    const starting = startProxyUnderTest({
      registry: slow,
      dataDir,
      replica: 'one',
      onServer: (prepared) => {
        server = prepared;
      },
    });
    try {
      await eventually('the port is taken', () => server !== undefined);
      const entrypoint = server?.entrypoints()[0];
      expect(entrypoint).to.include({ state: 'closed', reason: 'it opens with the first routes' });
      const url = `http://127.0.0.1:${entrypoint?.port}/shop`;
      const refused = await fetch(url).catch((error: Error) => error.cause);
      expect(refused).to.have.property('code', 'ECONNREFUSED');
      readable.resolve();
      let reply: Response | undefined;
      await eventually('a response', async () => {
        reply = await fetch(url).catch(() => undefined);
        return reply !== undefined;
      });
      expect(reply?.status).to.equal(200);
    } finally {
      readable.resolve();
      under = await starting;
    }
    expect((await under.call('GET', '/readyz')).status).to.equal(200);
  });

  it('is waited for by a change while its entrypoints are not open yet', async () => {
    const first = await startProxyUnderTest({ registry, env: { BARRIER_TIMEOUT_MS: '500' }, replica: 'first' });
    const mayOpen = Promise.withResolvers<void>();
    const starting = startProxyUnderTest({
      registry,
      dataDir,
      replica: 'one',
      // Stands in for ports and workers that take their time, which cannot be had at will.
      onServer: (server) => {
        const open = server.open.bind(server);
        Object.assign(server, { open: () => mayOpen.promise.then(open) });
      },
    });
    // Again where the machine was too busy for half a second: what is served then is what the next call tells.
    const saysInTheEnd = (message: string) =>
      eventually(message, async () => (await first.call('GET', reconfigure)).body.Message === message);
    try {
      await eventually('the other one is known', async () => {
        const { replicas } = (await first.call('GET', '/v1/status')).body;
        return Array.isArray(replicas) && replicas.length === 2;
      });
      await saysInTheEnd('Distributed to 1 of 2 instances, waiting for one');
      mayOpen.resolve();
      under = await starting;
      await saysInTheEnd('Distributed to all instances');
    } finally {
      mayOpen.resolve();
      under = await starting;
      await first.stop();
    }
  });

  it('lets clients in without routes where the registry says nothing at all', async () => {
    const never = takingItsTime(registry, new Promise(() => undefined));
    under = await startProxyUnderTest({ registry: never, dataDir, replica: 'one', firstWordWaitMs: 1 });
    expect(await through(under, '/shop')).to.equal(503);
    expect((await under.call('GET', '/readyz')).status).to.equal(503);
  });

  it('starts cold from its snapshot while the registry is away', async () => {
    const first = await start();
    await first.call(
      'GET',
      `/v1/docker-flow-proxy/reconfigure?serviceName=shop&servicePath=/shop&port=${port()}&outboundHostname=127.0.0.1`,
    );
    await first.stop();
    const away = createRegistry({
      store: createConsulStore({ address: '127.0.0.1:1', secure: false }),
      instance: 'swarmgate',
    });
    const second = await start({}, away);
    expect(await through(second, '/shop')).to.equal(200);
    await eventually('away', () => second.proxy.state().kind === 'away');
    const { body } = await second.call('GET', '/v1/status');
    expect(body).to.have.nested.property('registry.state.from', 'snapshot');
    expect(body.ready).to.equal(true);
  });

  it('names a misspelt field of a manual edit in the API and in the registry, and serves the rest', async () => {
    const { call } = await start();
    await eventually('ready', () => under?.proxy.ready() === true);
    const [destination] = definition('manual/shop').destinations;
    const edited = {
      ...definition('manual/shop'),
      wieght: 5,
      destinations: [{ ...destination, servicePath: ['/edited'], port: Number(port()), outboundHostname: '127.0.0.1' }],
    };
    const key = layout.documentKey('services', 'manual/shop');
    await registry.store.transact([{ kind: 'set', key, value: JSON.stringify(edited) }]);
    await eventually('served', async () => (await through(under as ProxyUnderTest, '/edited')) === 200);
    await eventually('in the registry', async () => {
      const stored = await registry.store.get(layout.routeProblemsKey('manual/shop'));
      return stored?.value.includes('field-unknown') ?? false;
    });
    const { body } = await call('GET', '/v1/problems');
    expect(body.problems).to.have.lengthOf(1);
    expect((body.problems as unknown[])[0]).to.deep.include({
      owner: 'manual',
      service: 'shop',
      severity: 'warning',
      reason: 'field-unknown',
      label: 'wieght',
      suggestion: 'did you mean weight?',
    });
  });

  it('names what is wrong in the API, the registry, the log and the metrics', async () => {
    const lines: string[] = [];
    const destination = { write: (line: string) => lines.push(line) } as unknown as NodeJS.WritableStream;
    under = await startProxyUnderTest({ registry, dataDir, replica: 'one', logger: createLogger({ destination }) });
    const { call } = under;
    await eventually('ready', () => under?.proxy.ready() === true);
    const signal = AbortSignal.timeout(20_000);
    await registry.publish([{ owner: 'swarm', service: 'a', definition: { document: definition('swarm/a') } }], {
      by: 'test',
      signal,
    });
    await registry.store.transact([
      { kind: 'set', key: layout.documentKey('services', 'swarm/a'), value: '{' },
      { kind: 'set', key: 'swarmgate/mine', value: 'x' },
    ]);
    await eventually('in the API', async () => {
      const { body } = await call('GET', '/v1/problems');
      return (body.problems as unknown[]).length > 0 && (body.keys as unknown[]).length > 0;
    });
    const sinceNow = async () =>
      ((await call('GET', '/v1/problems')).body.problems as { since: string }[]).map(({ since }) => since);
    const since = await sinceNow();
    expect(since[0]).to.match(/^20[\dT:.-]+Z$/);
    await eventually('in the registry', async () => {
      const stored = await registry.store.getMany([
        layout.routeProblemsKey('swarm/a'),
        layout.keyProblemsKey('swarmgate/mine'),
      ]);
      return stored.size === 2;
    });
    expect(lines.filter((line) => line.includes('document-not-json'))).to.have.length(1);
    expect(await sinceNow()).to.deep.equal(since);
    const { text } = await call('GET', '/metrics');
    expect(text).to.match(
      /swarmgate_problems\{owner="swarm",service="a",reason="document-not-json",severity="error"\} 1/,
    );
    expect(text).to.include('swarmgate_registry_reachable 1').and.include('swarmgate_foreign_keys 1');

    await registry.publish(
      [{ owner: 'swarm', service: 'a', definition: { document: definition('swarm/a', '/mended') } }],
      { by: 'test', signal },
    );
    await eventually('gone from the registry', async () => {
      return (await registry.store.get(layout.routeProblemsKey('swarm/a'))) === undefined;
    });
  });

  it('still takes connections for DRAIN_DELAY_MS after its stop, not ready already', async () => {
    const running = await start({ DRAIN_DELAY_MS: '1500' });
    await running.call('GET', `${reconfigure.replace('port=80', `port=${port()}`)}&outboundHostname=127.0.0.1`);
    const stoppedAtMs = performance.now();
    const stopped = running.proxy.stop();
    expect((await running.call('GET', '/readyz')).body.status).to.equal('draining');
    expect(await through(running, '/shop')).to.equal(200);
    const { address = '' } = running.proxy.entrypoints()[0] as { readonly address?: string };
    await stopped;
    expect(performance.now() - stoppedAtMs).to.be.at.least(1_490);
    expect(await fetch(`http://${address}/shop`).catch(() => 'refused')).to.equal('refused');
  });

  it('stops counting as a replica at its stop, finishes what is in flight, and is listed as draining meanwhile', async () => {
    const release = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const slow = createServer((_request, response) => {
      arrived.resolve();
      void release.promise.then(() => response.end('late'));
    });
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const running = await start({ DRAIN_TIMEOUT_MS: '8000' });
    const slowPort = (slow.address() as AddressInfo).port;
    await running.call(
      'GET',
      `/v1/docker-flow-proxy/reconfigure?serviceName=slow&servicePath=/slow&port=${slowPort}&outboundHostname=127.0.0.1`,
    );
    const inFlight = through(running, '/slow');
    await arrived.promise;
    const stopped = running.proxy.stop();
    expect(running.proxy.ready()).to.equal(false);
    expect((await running.call('GET', '/readyz')).body.status).to.equal('draining');
    await eventually('it is listed as draining', async () =>
      Object.hasOwn(JSON.parse((await registry.store.get(layout.replica('one')))?.value ?? '{}'), 'draining'),
    );
    const { replicas } = (await running.call('GET', '/v1/status')).body as unknown as StatusResponse;
    expect(replicas.map(({ replica, draining }) => [replica, draining])).to.deep.equal([['one', true]]);
    release.resolve();
    expect(await inFlight).to.equal(200);
    await stopped;
    expect(await registry.store.get(layout.replica('one'))).to.equal(undefined);
    slow.close();
  });
});
