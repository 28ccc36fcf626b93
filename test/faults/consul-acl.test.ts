import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type RunningConsul, startConsul } from '../harness/consul.ts';
import { constantLoad, send, untilResponds } from '../harness/http.ts';
import { until } from '../harness/until.ts';
import { type BesideASwarm, type HostListener, type HostProxy, startBesideASwarm } from './beside-a-swarm.ts';

const policy = (role: 'listener' | 'proxy' | 'ui') =>
  readFileSync(new URL(`../../docker/consul/acl/${role}-policy.hcl`, import.meta.url), 'utf8');

/** A Consul that denies everything by default, and the policies of docker/consul/acl. */
describe('listener and proxies with the least rights in Consul', function () {
  this.timeout(150_000);
  let consul: RunningConsul;
  let beside: BesideASwarm;
  let listener: HostListener;
  let proxies: HostProxy[];
  let listenerToken: string;
  let proxyToken: string;
  let uiToken: string;

  before(async () => {
    [consul, beside] = await Promise.all([startConsul({ acl: true }), startBesideASwarm()]);
    [listenerToken, proxyToken, uiToken] = await Promise.all([
      consul.createToken(policy('listener')),
      consul.createToken(policy('proxy')),
      consul.createToken(policy('ui')),
    ]);
    listener = await beside.startListener({ CONSUL_HTTP_ADDR: consul.address, CONSUL_HTTP_TOKEN: listenerToken });
    await beside.deploy('shop');
    const env = { CONSUL_HTTP_ADDR: consul.address, CONSUL_HTTP_TOKEN: proxyToken };
    proxies = [await beside.startProxy(env), await beside.startProxy(env)];
  });

  after(async () => {
    await beside.remove();
    await consul.remove();
  });

  it('do all their work: publish, serve, change by REST on every replica, restore the history', async () => {
    for (const { httpUrl } of proxies) await untilResponds({ url: `${httpUrl}/shop` }, 200);
    expect(await listener.isLeading()).to.equal(true);
    const [first] = proxies as [HostProxy, HostProxy];
    await until('both are known as replicas', async () => {
      const { body } = await first.admin('/v1/status');
      return (JSON.parse(body) as { readonly replicas: readonly object[] }).replicas.length === 2;
    });
    const change = async (path: string) => {
      const query = `serviceName=by-hand&servicePath=${path}&port=${beside.backendPort}&outboundHostname=127.0.0.1`;
      const { status, body } = await first.admin(`/v1/docker-flow-proxy/reconfigure?${query}`);
      expect(status, body).to.equal(200);
      expect(body).to.include('Distributed to all instances');
    };
    await change('/one');
    await change('/two');
    for (const proxy of proxies) expect(await proxy.status('/two')).to.equal(200);
    const { body: history } = await first.admin('/v1/history?service=by-hand');
    expect(history).to.include('/one');
    const removed = await first.admin('/v1/docker-flow-proxy/remove?serviceName=by-hand');
    expect(removed.status).to.equal(200);
    for (const proxy of proxies) expect(await proxy.status('/two')).to.equal(503);
    await beside.setPath('shop', '/shop,/changed');
    for (const { httpUrl } of proxies) await untilResponds({ url: `${httpUrl}/changed` }, 200);
  });

  // [who, a key, whether they may write it]
  const rights = [
    ['listener', 'services/swarm/x', true],
    ['listener', 'services/manual/x', false],
    ['listener', 'services/other-swarm/x', false],
    ['listener', 'history/manual/x/1', false],
    ['listener', 'certs/x', false],
    ['listener', 'proxies/x', false],
    ['listener', 'reload', false],
    ['proxy', 'services/manual/x', true],
    ['proxy', 'services/swarm/x', false],
    ['proxy', 'endpoints/swarm/x', false],
    ['proxy', 'history/swarm/x/1', false],
    ['proxy', 'problems/labels/swarm/x', false],
    ['proxy', 'leader/swarm', false],
    ['ui', 'services/manual/x', true],
    ['ui', 'services/swarm/x', false],
    ['ui', 'endpoints/manual/x', false],
    ['ui', 'history/manual/x/1', false],
    ['ui', 'certs/x', false],
    ['ui', 'proxies/x', false],
    ['ui', 'head', false],
    ['anonymous', 'services/manual/x', false],
    ['anonymous', 'head', false],
  ] as const;
  for (const [who, key, may] of rights) {
    it(`let ${who} ${may ? 'write' : 'not write'} ${key}`, async () => {
      const url = `${consul.url}/v1/kv/swarmgate/${key}`;
      const token = { listener: listenerToken, proxy: proxyToken, ui: uiToken, anonymous: '' }[who];
      const requested = { url, headers: { 'x-consul-token': token } };
      expect((await send({ ...requested, method: 'PUT', body: 'x' })).status).to.equal(may ? 200 : 403);
      if (may) expect((await send({ ...requested, method: 'DELETE' })).status).to.equal(200);
    });
  }

  it('keep certificates from the listener and the UI, and everything from anonymous clients', async () => {
    const read = async (key: string, token: string) =>
      (await send({ url: `${consul.url}/v1/kv/swarmgate/${key}`, headers: { 'x-consul-token': token } })).status;
    expect(await read('certs/x', listenerToken)).to.equal(403);
    for (const key of ['certs/x', 'acme/x']) expect(await read(key, uiToken)).to.equal(403);
    for (const token of [listenerToken, uiToken]) expect(await read('head', token)).to.equal(200);
    expect(await read('head', '')).to.equal(403);
  });

  it('serve on without end when their tokens are revoked under traffic', async () => {
    await beside.setPath('shop', '/shop,/changed');
    for (const { httpUrl } of proxies)
      for (const path of ['/shop', '/changed']) await untilResponds({ url: `${httpUrl}${path}` }, 200);
    const loads = proxies.map(({ httpUrl }) => constantLoad({ url: `${httpUrl}/shop`, ratePerSecond: 100 }));
    await consul.revokeToken(proxyToken);
    await consul.revokeToken(listenerToken);
    const began = performance.now();
    await until(
      'both know that they are cut off',
      async () => (await Promise.all(proxies.map((proxy) => proxy.state()))).every((state) => state !== 'following'),
      { withinMs: 90_000 },
    );
    console.log(`      noticed after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
    for (const proxy of proxies)
      for (const path of ['/shop', '/changed']) expect(await proxy.status(path)).to.equal(200);
    await until('enough requests were sent', () => loads.every((load) => load.responded() >= 500));
    const reports = await Promise.all(loads.map((load) => load.stop()));
    const sent = reports.reduce((sum, report) => sum + report.sent, 0);
    console.log(`      ${sent} requests meanwhile, ${reports.map((report) => report.failed).join(' and ')} failed`);
    for (const report of reports) expect(report.failed, report.failures.join('; ')).to.equal(0);
  });
});
