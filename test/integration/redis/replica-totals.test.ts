import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ServicesResponse } from '@swarmgate/proxy';
import { createConsulStore, createRegistry, type Registry } from '@swarmgate/registry';
import { expect } from 'chai';
import { type RunningConsul, startConsul } from '../../harness/consul.ts';
import { type HostProxy, startHostProxy } from '../../harness/host-processes.ts';
import { untilResponds } from '../../harness/http.ts';
import { type RunningRedis, startRedis } from '../../harness/redis.ts';
import { until } from '../../harness/until.ts';

/** Ten more than a replica writes into the registry. */
const services = 210;
const serviceAt = (at: number) => `service-${at}`;
// A replica writes every 10 s; Consul ends the session of one that died within twice its 10 s. Others use this machine.
const patience = { withinMs: 120_000 };

describe('what all replicas of a proxy counted, over a real Consul and a real Redis', function () {
  this.timeout(300_000);
  let redis: RunningRedis;
  let consul: RunningConsul;
  let registry: Registry;
  let backend: Server;
  let one: HostProxy;
  let two: HostProxy;

  before(async () => {
    backend = createServer((_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
    [redis, consul] = await Promise.all([startRedis(), startConsul()]);
    registry = createRegistry({ store: createConsulStore({ address: consul.address }), instance: 'swarmgate' });
    await publish((backend.address() as AddressInfo).port);
    const start = (name: string) =>
      startHostProxy({ CONSUL_HTTP_ADDR: consul.address, REDIS_URL: redis.url, HOSTNAME: name });
    [one, two] = await Promise.all([start('one'), start('two')]);
    for (const proxy of [one, two]) await untilResponds({ url: `${proxy.httpUrl}/${serviceAt(services - 1)}` }, 200);
  });
  after(async () => {
    await Promise.all([one?.remove(), two?.remove()]);
    await registry?.store.close();
    await consul?.remove();
    await redis?.stop();
    backend?.closeAllConnections();
    backend?.close();
  });

  async function publish(port: number): Promise<void> {
    const changes = Array.from({ length: services }, (_, at) => {
      const service = serviceAt(at);
      const destination = { index: 0, since: 0, servicePath: [`/${service}`], port, outboundHostname: '127.0.0.1' };
      const source = { kind: 'rest', by: 'test' } as const;
      const updatedAt = '2026-01-01T00:00:00.000Z';
      const document = {
        version: 1,
        service,
        owner: 'manual',
        source,
        updatedAt,
        destinations: [destination],
      } as const;
      return { owner: 'manual', service, definition: { document } };
    });
    await registry.publish(changes, { by: 'test', signal: AbortSignal.timeout(60_000) });
  }

  /** What proxy one shows of all replicas. */
  async function shown() {
    const { status, body } = await one.admin('/v1/services?replicas=all&fields=numbers');
    expect(status, body).to.equal(200);
    const response = JSON.parse(body) as ServicesResponse;
    const numbersOf = (service: string) =>
      response.services.find((each) => each.service === `manual/${service}`)?.numbers ?? undefined;
    for (const { numbers } of response.services)
      for (const window of [numbers?.lastMinute, numbers?.last15Minutes, numbers?.sinceStart])
        if (window !== undefined) expect(window.requestsPerSecond).to.be.at.least(0);
    return {
      replicas: response.replicas.map(({ replica, services: which }) => [replica.replace(/-\d+$/, ''), which]),
      total: response.total.sinceStart.requests,
      requests: (service: string) => numbersOf(service)?.sinceStart.requests ?? 0,
    };
  }

  const covers = async (...replicas: readonly (readonly [string, number | 'all'])[]) =>
    JSON.stringify((await shown()).replicas) === JSON.stringify(replicas);

  it('covers all services of each by Redis', async () => {
    for (let at = 0; at < services; at += 1)
      for (let time = 0; time < (at < 5 ? 6 : 1); time += 1)
        expect(await two.status(`/${serviceAt(at)}`)).to.equal(200);
    for (let time = 0; time < 3; time += 1) await one.status(`/${serviceAt(0)}`);
    await until('one shows what two counted', async () => (await shown()).requests(serviceAt(0)) === 9, patience);
    const { replicas, requests } = await shown();
    expect(replicas).to.deep.equal([
      ['one', 'all'],
      ['two', 'all'],
    ]);
    expect(requests(serviceAt(4))).to.equal(6);
    for (let at = 5; at < services - 1; at += 1) expect(requests(serviceAt(at)), serviceAt(at)).to.equal(1);
  });

  it('covers the busiest by the registry while Redis is away, says so, and all again when it is back', async () => {
    const before = await shown();
    await redis.kill();
    await until('it says so', () => covers(['one', 'all'], ['two', 200]), patience);
    const meanwhile = await shown();
    expect(meanwhile.requests(serviceAt(0))).to.equal(9);
    expect(meanwhile.requests(serviceAt(4))).to.equal(6);
    const missing = Array.from({ length: services }, (_, at) => serviceAt(at)).filter(
      (service) => meanwhile.requests(service) === 0,
    );
    // Requests that came before the services did are counted as of one more.
    expect(missing.length).to.be.within(services - 200, services - 199);
    expect(before.total - meanwhile.total).to.be.at.least(missing.length);
    redis.start();
    await until('all are covered again', () => covers(['one', 'all'], ['two', 'all']), patience);
    expect((await shown()).total).to.equal(before.total);
  });

  it('covers a replica that dies no longer, and starts again with it', async () => {
    await two.kill();
    await until('two is covered no longer', () => covers(['one', 'all']), patience);
    expect((await shown()).requests(serviceAt(0))).to.equal(3);
    two.start();
    await untilResponds({ url: `${two.httpUrl}/${serviceAt(1)}` }, 200);
    await until('two is covered again', () => covers(['one', 'all'], ['two', 'all']), patience);
    await until('its requests are', async () => (await shown()).requests(serviceAt(1)) > 0, patience);
    const { requests } = await shown();
    expect([requests(serviceAt(0)), requests(serviceAt(4))]).to.deep.equal([3, 0]);
  });
});
