import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { type RunningConsul, startConsul } from '../../harness/consul.ts';
import { freePorts } from '../../harness/free-ports.ts';
import { startNameServer, type TestNameServer } from '../../harness/name-server.ts';
import { type SwarmgateProcess, startSwarmgate } from '../../harness/swarmgate-process.ts';
import { until } from '../../harness/until.ts';

const hanging = 24;

/** A system that finds Consul, Docker, Redis and most endpoints by names, and a DNS server that does not respond. */
describe('a DNS server that hangs', function () {
  this.timeout(180_000);
  let names: TestNameServer;
  let consul: RunningConsul;
  let endpoint: Server;
  let standalone: SwarmgateProcess;
  let admin: number;
  let entry: number;

  before(async () => {
    names = await startNameServer();
    consul = await startConsul();
    endpoint = createServer((_request, response) => response.end('served')).listen(0, '127.0.0.1');
    await once(endpoint, 'listening');
    const { port } = endpoint.address() as AddressInfo;
    [admin = 0, entry = 0] = await freePorts(2);
    const services: Record<string, string> = {};
    const define = (at: number, path: string, host: string) => {
      services[`DFP_SERVICE_${at}_SERVICE_NAME`] = `service-${at}`;
      services[`DFP_SERVICE_${at}_SERVICE_PATH`] = path;
      services[`DFP_SERVICE_${at}_PORT`] = String(port);
      services[`DFP_SERVICE_${at}_OUTBOUND_HOSTNAME`] = host;
    };
    define(1, '/known', '127.0.0.1');
    for (let at = 0; at < hanging; at += 1) define(at + 2, `/named-${at}`, `endpoint-${at}.swarmgate.test`);
    standalone = startSwarmgate(['standalone'], {
      env: {
        ADMIN_PORT: String(admin),
        DEFAULT_PORTS: String(entry),
        WORKERS: '0',
        CONSUL_HTTP_ADDR: `consul.swarmgate.test:${new URL(consul.url).port}`,
        REDIS_URL: 'redis://redis.swarmgate.test:1',
        DOCKER_HOST: 'tcp://docker.swarmgate.test:2375',
        ...services,
      },
      through: names.through,
    });
    await until('it serves', async () => (await get('/known').catch(() => undefined)) === 200, { withinMs: 120_000 });
  });
  after(async () => {
    await standalone.remove();
    endpoint.close().closeAllConnections();
    await consul.remove();
    await names.stop();
  });

  const get = async (path: string, port = entry) => {
    const reply = await fetch(`http://127.0.0.1:${port}${path}`);
    await reply.arrayBuffer();
    return reply.status;
  };
  const timed = async (path: string, port = entry) => {
    const beganMs = performance.now();
    const status = await get(path, port);
    return { status, tookMs: performance.now() - beganMs };
  };

  it('holds up neither what needs no name nor, once it responds, what does', async () => {
    const ended: { readonly status: number; readonly tookMs: number }[] = [];
    const waiting = new Set<Promise<void>>();
    let slowestMs = 0;
    for (let round = 0; round < 60; round += 1) {
      for (const path of [`/named-${round % hanging}`, `/named-${(7 * round) % hanging}`]) {
        const one = timed(path).then((each) => {
          ended.push(each);
          waiting.delete(one);
        });
        waiting.add(one);
      }
      const { status, tookMs } = await timed('/known');
      expect(status).to.equal(200);
      slowestMs = Math.max(slowestMs, tookMs, (await timed('/healthz', admin)).tookMs);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(slowestMs, 'what needs no name').to.be.below(1_000);
    await until('requests to endpoints without an address are served', () => waiting.size === 0, {
      withinMs: 10_000,
    });
    // Before and after a name counts as unresolved.
    for (const { status } of ended) expect(status).to.be.oneOf([502, 503]);
    expect(Math.max(...ended.map(({ tookMs }) => tookMs)), 'what needs one').to.be.below(10_000);
    expect(names.requested).to.be.above(10);

    names.mode = 'response';
    const respondsAtMs = performance.now();
    for (let at = 0; at < hanging; at += 1)
      await until(`/named-${at} is served`, async () => (await get(`/named-${at}`)) === 200, { withinMs: 15_000 });
    const change = `/v1/docker-flow-proxy/reconfigure?serviceName=late&servicePath=/late&port=80&outboundHostname=127.0.0.1`;
    await until('Consul is found', async () => (await get(change, admin)) === 200, { withinMs: 30_000 });
    console.log(
      `      slowest ${slowestMs.toFixed(0)} ms; all is back ${(performance.now() - respondsAtMs).toFixed(0)} ms after the first response`,
    );
  });
});
