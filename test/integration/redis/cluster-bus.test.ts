import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConsulStore, createRegistry, type KeyValueStore, type Registry } from '@swarmgate/registry';
import { pause, silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { connectRedis } from '../../../packages/proxy/src/middleware/limits/redis-connection.ts';
import { type ProxyUnderTest, startProxyUnderTest } from '../../../packages/proxy/test/running-proxy.ts';
import { type RunningConsul, startConsul } from '../../harness/consul.ts';
import { constantLoad, type Load } from '../../harness/http.ts';
import { type RunningRedis, startRedis } from '../../harness/redis.ts';
import { until } from '../../harness/until.ts';

const holdMs = 8_000;
const channel = 'swarmgate:swarmgate:hints';

describe('two proxies with a Redis between them', function () {
  this.timeout(120_000);
  let redis: RunningRedis;
  let consul: RunningConsul;
  let dataDir: string;
  let backend: Server;
  let one: ProxyUnderTest;
  let two: ProxyUnderTest;
  const registries: Registry[] = [];
  let liar: ReturnType<typeof connectRedis>;
  /** Calls of proxy two to Consul, by kind. */
  const requested = new Map<string, number>();
  /** While it is set, what proxy two waits for at Consul comes so much later. */
  let lateMs = 0;

  before(async () => {
    redis = await startRedis();
    liar = connectRedis({ url: redis.url, logger: silentLogger, whileAway: 'no lies' });
    consul = await startConsul();
    dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-bus-'));
    backend = await listening();
    const start = (replica: string, around: (store: KeyValueStore) => KeyValueStore) => {
      const store = around(createConsulStore({ address: consul.address }));
      const registry = createRegistry({ store, instance: 'swarmgate' });
      registries.push(registry);
      const env = { REDIS_URL: redis.url, BARRIER_TIMEOUT_MS: '20000' };
      return startProxyUnderTest({ registry, dataDir: join(dataDir, replica), replica, env });
    };
    one = await start('one', (store) => store);
    two = await start('two', slow);
    await reconfigure('a', backend);
    await until(
      'each receives the other’s hints',
      async () => (await bus(one)).connected === 1 && (await bus(two)).connected === 1,
    );
  });

  after(async () => {
    liar?.disconnect();
    await Promise.all([one?.stop(), two?.stop()]);
    for (const registry of registries) await registry.store.close();
    await consul?.remove();
    await redis?.stop();
    backend?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('notifies the other replica of a change before its registry does', async () => {
    lateMs = holdMs;
    // The wait that runs already responds once without delay.
    await reconfigure('first', backend);
    const beganMs = performance.now();
    await reconfigure('woken', backend);
    const tookMs = performance.now() - beganMs;
    lateMs = 0;
    console.log(
      `    a change served by both, one of which its registry reported ${holdMs} ms later: ${Math.round(tookMs)} ms`,
    );
    expect(await statusOf(two, '/woken')).to.equal(200);
    expect(tookMs).to.be.lessThan(holdMs / 4);
  });

  it('shows in the status what passes through each replica', async () => {
    const load = constantLoad({ url: urlOf(two, '/a'), ratePerSecond: 50 });
    try {
      await until('one knows of two’s requests', async () => {
        const { body } = await one.call('GET', '/v1/status');
        const replicas = body.replicas as readonly { replica: string; live?: { requestsPerSecond: number } }[];
        return (replicas.find(({ replica }) => replica === 'two')?.live?.requestsPerSecond ?? 0) > 10;
      });
    } finally {
      await load.stop();
    }
  });

  it('shows what passed through both replicas, by service', async () => {
    for (let time = 0; time < 30; time += 1) await statusOf(two, '/woken');
    for (let time = 0; time < 12; time += 1) await statusOf(one, '/woken');
    const covered = async () => {
      const { body } = await one.call('GET', '/v1/services?service=woken&replicas=all');
      const { replicas, services } = body as {
        replicas: { replica: string; services: unknown }[];
        services: { numbers: { sinceStart: { requests: number; p99Ms: number } } | null }[];
      };
      return { replicas, requests: services[0]?.numbers?.sinceStart.requests };
    };
    // Two tells every 10 s; it was called once before, too.
    await until('one knows of two’s requests', async () => (await covered()).requests === 43, { withinMs: 25_000 });
    const reported = (await covered()).replicas.map(({ replica, services }) => [replica, services]);
    expect(reported).to.deep.equal([
      ['one', 'all'],
      ['two', 'all'],
    ]);
  });

  it('takes the other’s word for an endpoint that fails: one failure of its own is enough then', async () => {
    const failing = await listening();
    await reconfigure('failing', failing);
    expect([await statusOf(one, '/failing'), await statusOf(two, '/failing')]).to.deep.equal([200, 200]);
    failing.close();
    failing.closeAllConnections();
    await until('one ejects it', async () => {
      await statusOf(one, '/failing');
      return (await healthOf(one, 'failing')) === 'ejected';
    });
    // One channel keeps its order: what two receives after the next traffic of one, it receives after the ejection.
    const { heard } = await bus(two);
    await until('two receives more', async () => (await bus(two)).heard >= heard + 2);
    expect(await healthOf(two, 'failing')).to.equal('healthy');
    expect(await statusOf(two, '/failing')).to.equal(502);
    expect(await healthOf(two, 'failing')).to.equal('ejected');
  });

  it('loses no request and no change to a Redis full of lies and garbage', async () => {
    const { registryId } = (await one.call('GET', '/v1/status')).body.registry as { registryId: string };
    const [endpoint] = await endpointsOf(two, 'a');
    const lie = (hint: object) => JSON.stringify({ version: 1, sender: 'liar', replica: 'liar', hint });
    const lies = [
      lie({ kind: 'sequence', registryId, sequence: 1_000_000_000 }),
      lie({ kind: 'ejected', endpointId: endpoint?.id }),
      lie({ kind: 'traffic', requestsPerSecond: 1e9, inFlight: 1e9 }),
      '{"version":1,"sender"',
      'x'.repeat(5_000),
    ];
    await underLoad(async () => {
      requested.clear();
      for (let round = 0; round < 100; round += 1) {
        await Promise.allSettled(lies.map((text) => liar.publish(channel, text)));
        if (round % 25 === 0) await reconfigure(`lied-to-${round}`, backend);
        await pause(10);
      }
    });
    console.log(`    500 lies: ${JSON.stringify(Object.fromEntries(requested))}`);
    expect(requested.get('list swarmgate/services/') ?? 0, 'full reads').to.equal(0);
    expect(await healthOf(two, 'a')).to.equal('healthy');
    expect((await bus(two)).refused).to.be.greaterThan(50);
  });

  it('loses no request and no change to a Redis that hangs, dies and comes back', async () => {
    await underLoad(async () => {
      redis.pause();
      await reconfigure('while-it-hangs', backend);
      await pause(1_000);
      redis.resume();
      await redis.kill();
      await reconfigure('while-it-is-gone', backend);
      redis.start();
      await reconfigure('while-it-comes-back', backend);
    });
    await until(
      'each receives the other’s hints again',
      async () => (await bus(one)).connected === 1 && (await bus(two)).connected === 1,
      { withinMs: 60_000 },
    );
  });

  it('stops listening to a flood, and goes on without', async () => {
    await until('the liar is connected', () => liar.status === 'ready');
    await underLoad(async () => {
      // Three times what is heard out in a second, in one go.
      const pipeline = liar.pipeline();
      for (let each = 0; each < 6_000; each += 1) pipeline.publish(channel, 'flood');
      await pipeline.exec().catch(() => undefined);
      await until('both hung up', async () => (await bus(one)).connected + (await bus(two)).connected === 0);
      await reconfigure('flooded', backend);
    });
  });

  /** Requests through both all the while; none may fail. */
  async function underLoad(step: () => Promise<void>): Promise<void> {
    const loads = [one, two].map((each): Load => constantLoad({ url: urlOf(each, '/a'), ratePerSecond: 100 }));
    try {
      await step();
    } finally {
      const reports = await Promise.all(loads.map((load) => load.stop()));
      const sent = reports.reduce((sum, report) => sum + report.sent, 0);
      console.log(`    ${sent} requests meanwhile`);
      expect(reports.flatMap(({ failures }) => failures)).to.deep.equal([]);
    }
  }

  /** By REST of proxy one; both serve it afterwards. */
  async function reconfigure(service: string, to: Server): Promise<void> {
    const { port } = to.address() as AddressInfo;
    const query = `serviceName=${service}&servicePath=/${service}&port=${port}&outboundHostname=127.0.0.1`;
    const reply = await one.call('GET', `/v1/docker-flow-proxy/reconfigure?${query}`);
    expect(reply.body.Message, reply.text).to.equal('Distributed to all instances');
  }

  function slow(store: KeyValueStore): KeyValueStore {
    return new Proxy(store, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property, target);
        if (typeof value !== 'function') return value;
        return async (...parameters: unknown[]) => {
          const name = String(property);
          const question = name === 'list' ? `list ${String(parameters[0])}` : name;
          requested.set(question, (requested.get(question) ?? 0) + 1);
          const reply: unknown = await value.apply(target, parameters);
          const [, second, signal] = parameters;
          // The first question of a wait (index 0) is a plain read.
          if (name.startsWith('wait') && second !== 0) await pause(lateMs, signal as AbortSignal);
          return reply;
        };
      },
    });
  }
});

function listening(): Promise<Server> {
  const server = createServer((_request, response) => response.end('hello'));
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

function urlOf({ proxy }: ProxyUnderTest, path: string): string {
  const entrypoint = proxy.entrypoints()[0];
  if (entrypoint?.state !== 'open') throw new Error('no entrypoint is open');
  return `http://${entrypoint.address}${path}`;
}

async function statusOf(under: ProxyUnderTest, path: string): Promise<number> {
  const reply = await fetch(urlOf(under, path));
  await reply.arrayBuffer();
  return reply.status;
}

async function endpointsOf(under: ProxyUnderTest, service: string) {
  const { body } = await under.call('GET', '/v1/routes');
  const routes = body.routes as readonly { service: string; endpoints: readonly { id: string; health: string }[] }[];
  return routes.find((route) => route.service === service)?.endpoints ?? [];
}

async function healthOf(under: ProxyUnderTest, service: string): Promise<string | undefined> {
  return (await endpointsOf(under, service))[0]?.health;
}

/** What a proxy's metrics say of the bus. */
async function bus(under: ProxyUnderTest): Promise<{ connected: number; heard: number; refused: number }> {
  const { text } = await under.call('GET', '/metrics');
  const value = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0);
  return {
    connected: value(/^swarmgate_bus_connected (\d+)/m),
    heard: value(/^swarmgate_bus_messages_total\{what="heard"\} (\d+)/m),
    refused: value(/^swarmgate_bus_messages_total\{what="refused"\} (\d+)/m),
  };
}
