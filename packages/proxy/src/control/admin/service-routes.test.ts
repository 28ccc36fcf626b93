import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { eventually, type ProxyUnderTest, startProxyUnderTest } from '../../../test/running-proxy.ts';
import { get, listening } from '../../../test/worker-rig.ts';
import type { ServicesResponse } from './response-bodies.ts';

describe('GET /v1/services', () => {
  let under: ProxyUnderTest;
  let backend: Server;
  const pending: (() => void)[] = [];
  const entry = () => under.proxy.entrypoints()[0]?.port ?? 0;
  const services = async (query = '') => {
    const { status, body } = await under.call('GET', `/v1/services${query}`);
    expect(status).to.equal(200);
    return body as unknown as ServicesResponse;
  };

  before(async () => {
    backend = await listening(
      createServer((request, response) => {
        if (request.url === '/shop/slow') pending.push(() => response.end('late'));
        else response.writeHead(request.url === '/shop/broken' ? 500 : 200).end('0123456789');
      }),
    );
    under = await startProxyUnderTest({ replica: 'one' });
    await eventually('the proxy is ready', () => under.proxy.ready());
    for (const service of ['shop', 'idle', 'empty']) {
      const port = service === 'empty' ? 1 : (backend.address() as AddressInfo).port;
      await under.call(
        'GET',
        `/v1/docker-flow-proxy/reconfigure?serviceName=${service}&servicePath=/${service}&port=${port}&outboundHostname=127.0.0.1`,
      );
    }
    for (let time = 0; time < 8; time += 1) await get(entry(), '/shop/fine', undefined);
    for (let time = 0; time < 2; time += 1) await get(entry(), '/shop/broken', undefined);
    await get(entry(), '/empty', undefined);
    await get(entry(), '/nowhere', undefined);
  });
  after(async () => {
    for (const reply of pending.splice(0)) reply();
    await under.stop();
    backend.closeAllConnections();
    backend.close();
  });

  it('shows what passed, in every window at once, and names this replica', async () => {
    const reply = await services();
    expect(reply.replicas).to.deep.equal([{ replica: 'one', ageMs: 0, services: 'all' }]);
    const shop = reply.services.find(({ service }) => service === 'manual/shop');
    expect(shop?.definition?.destinations[0]?.servicePath).to.deep.equal(['/shop']);
    for (const window of ['lastMinute', 'last15Minutes', 'sinceStart'] as const) {
      const numbers = shop?.numbers?.[window];
      expect(numbers?.requests, window).to.equal(10);
      expect(numbers?.status, window).to.deep.equal({ '1xx': 0, '2xx': 8, '3xx': 0, '4xx': 0, '5xx': 2 });
      expect(numbers?.errorsPercent, window).to.equal(20);
      expect(numbers?.requestsPerSecond, window).to.be.greaterThan(0);
      expect(numbers?.p50Ms, window).to.be.within(0.05, 1_000);
      expect(numbers?.p99Ms, window).to.be.at.least(numbers?.p50Ms ?? Number.NaN);
      expect(numbers?.sentBytes, window).to.be.greaterThan(100);
    }
  });

  it('shows nothing of a service that had no requests, and the reasons of its own responses', async () => {
    const reply = await services();
    const of = (name: string) => reply.services.find(({ service }) => service === `manual/${name}`);
    expect(of('idle')?.numbers).to.equal(null);
    expect(of('empty')?.numbers?.sinceStart.reasons).to.deep.equal({ 'endpoint-unreachable': 1 });
    expect(reply.unmatched.sinceStart).to.deep.include({ requests: 1, reasons: { 'no-route': 1 } });
    expect(reply.total.sinceStart.requests).to.equal(12);
  });

  it('shows one service with its endpoints', async () => {
    const { services: found } = await services('?service=shop');
    expect(found.map(({ service }) => service)).to.deep.equal(['manual/shop']);
    const port = (backend.address() as AddressInfo).port;
    const [endpoint, ...more] = found[0]?.endpointNumbers ?? [];
    expect(more).to.deep.equal([]);
    expect(endpoint).to.deep.include({ id: `127.0.0.1:${port}`, host: '127.0.0.1', port, state: 'active' });
    expect(endpoint?.numbers.sinceStart.requests).to.equal(10);
    expect((await services('?service=shop&owner=swarm')).services).to.deep.equal([]);
  });

  it('counts what is in flight', async () => {
    const waiting = get(entry(), '/shop/slow', undefined);
    await eventually('the endpoint has the request', () => pending.length === 1);
    const inFlight = async () => {
      const reply = await services('?service=shop');
      return [reply.total.inFlight, reply.services[0]?.numbers?.inFlight];
    };
    expect(await inFlight()).to.deep.equal([1, 1]);
    for (const reply of pending.splice(0)) reply();
    await waiting;
    expect(await inFlight()).to.deep.equal([0, 0]);
  });

  it('shows the busiest first where a limit is given, and numbers alone where only those are requested', async () => {
    const { services: found } = await services('?limit=2&fields=numbers');
    expect(found.map(({ service }) => service)).to.deep.equal(['manual/shop', 'manual/empty']);
    expect(found[0]).to.have.all.keys('service', 'numbers');
  });

  for (const query of ['limit=0', 'limit=x', 'replicas=both', 'fields=none', 'service=a/b'])
    it(`refuses ${query}`, async () => {
      const { status, body } = await under.call('GET', `/v1/services?${query}`);
      expect(status).to.equal(400);
      expect(body.Message)
        .to.be.a('string')
        .that.includes(query.split('=')[0] ?? '');
    });

  it('has no others to name with an embedded registry', async () => {
    expect((await services('?replicas=all')).replicas.map(({ replica }) => replica)).to.deep.equal(['one']);
  });
});
