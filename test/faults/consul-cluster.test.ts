import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { type ConsulCluster, startConsulCluster } from '../harness/consul.ts';
import { type FaultyRelay, startFaultyRelay } from '../harness/faulty-relay.ts';
import { constantLoad, type Load, untilResponds } from '../harness/http.ts';
import { stackConsul } from '../harness/stack-consul.ts';
import { until } from '../harness/until.ts';
import { type BesideASwarm, type HostListener, type HostProxy, startBesideASwarm } from './beside-a-swarm.ts';

const run = promisify(execFile);
const swarmgate = fileURLToPath(new URL('../../packages/cli/bin/swarmgate.mjs', import.meta.url));
const names = Array.from({ length: 12 }, (_, n) => `service-${n}`);
const [kept = '', ...others] = names;

/** One Swarm, one listener, two proxies over three Consul servers, under traffic all the time. */
describe('three Consul servers that fail', function () {
  this.timeout(120_000);
  let cluster: ConsulCluster;
  let relay: FaultyRelay;
  let beside: BesideASwarm;
  let listener: HostListener;
  let proxies: HostProxy[];
  let loads: Load[];
  let changes = 0;

  before(async () => {
    [cluster, beside] = await Promise.all([startConsulCluster(), startBesideASwarm()]);
    relay = await startFaultyRelay(cluster.client.address);
    const env = { CONSUL_HTTP_ADDR: relay.address };
    listener = await beside.startListener(env);
    for (const name of names) await beside.deploy(name);
    proxies = [await beside.startProxy(env), await beside.startProxy(env)];
    for (const name of names) await everywhere(`/${name}`, 200);
  });

  after(async () => {
    await beside.remove();
    await relay.close();
    await cluster.remove();
  });

  beforeEach(() => {
    loads = proxies.map(({ httpUrl }) => constantLoad({ url: `${httpUrl}/${kept}`, ratePerSecond: 100 }));
  });

  afterEach(async () => {
    const reports = await Promise.all(loads.map((load) => load.stop()));
    const sent = reports.reduce((sum, report) => sum + report.sent, 0);
    const failed = reports.reduce((sum, report) => sum + report.failed, 0);
    console.log(`      ${sent} requests meanwhile, ${failed} failed`);
    expect(failed, reports.flatMap((report) => report.failures).join('; ')).to.equal(0);
  });

  const everywhere = (path: string, status: number, withinMs = 60_000) =>
    until(
      `${path} responds with ${status} on both`,
      async () => {
        const seen = await Promise.all(proxies.map((proxy) => proxy.status(path)));
        return seen.every((each) => each === status);
      },
      { withinMs },
    );
  const allRespond = async (paths: readonly string[], status: number) => {
    for (const path of paths)
      for (const proxy of proxies) expect(await proxy.status(`/${path}`), path).to.equal(status);
  };
  /** A label change on the Swarm until both proxies serve it. */
  const changeIsServed = async (what: string) => {
    changes += 1;
    const began = performance.now();
    await beside.setPath('service-1', `/service-1,/change-${changes}`);
    await everywhere(`/change-${changes}`, 200);
    console.log(`      ${what}: a change was served after ${Math.round(performance.now() - began)} ms`);
  };
  /** The second proxy, for a test that ends it. */
  const withoutLoadOnTheSecond = async () => {
    const [, second] = proxies as [HostProxy, HostProxy];
    const { failed, failures } = (await loads.pop()?.stop()) ?? { failed: 0, failures: [] };
    expect(failed, failures.join('; ')).to.equal(0);
    return second;
  };
  const states = () => Promise.all(proxies.map((proxy) => proxy.state()));

  it('serve on when the leading server is killed', async () => {
    const leader = await cluster.leader();
    await leader.kill();
    await changeIsServed('leader killed');
    await allRespond(names, 200);
    await leader.start();
  });

  it('serve on when the leading server is paused', async () => {
    const leader = await cluster.leader();
    await leader.pause();
    try {
      await changeIsServed('leader paused');
      await allRespond(names, 200);
    } finally {
      leader.resume();
    }
  });

  it('serve on when a Consul responds slowly', async () => {
    relay.delay(400);
    await changeIsServed('400 ms each way');
    await allRespond(names, 200);
    await relay.heal();
    await changeIsServed('as before');
  });

  it('serve on when Consul falls silent, and notice it', async () => {
    relay.freeze();
    try {
      const began = performance.now();
      await until('both know', async () => (await states()).every((state) => state === 'away'), { withinMs: 60_000 });
      console.log(`      noticed after ${Math.round(performance.now() - began)} ms`);
      await allRespond(names, 200);
    } finally {
      await relay.heal();
    }
    await changeIsServed('heard again');
  });

  it('serve from the disk what they start with while no Consul responds', async () => {
    const second = await withoutLoadOnTheSecond();
    const all = [...cluster.servers, cluster.client];
    await second.stop();
    await Promise.all(all.map((agent) => agent.kill()));
    second.start();
    await untilResponds({ url: `${second.httpUrl}/${kept}` }, 200);
    expect(await second.state()).to.equal('away');
    await allRespond(names, 200);
    await Promise.all(all.map((agent) => agent.start()));
    await until('both follow', async () => (await states()).every((state) => state === 'following'), {
      withinMs: 60_000,
    });
    await changeIsServed('after a start from the disk');
  });

  it('name a replica that was killed as a laggard, until its session ends', async () => {
    const [first] = proxies as [HostProxy, HostProxy];
    const second = await withoutLoadOnTheSecond();
    const reconfigure = async () => {
      const query = `serviceName=by-hand&servicePath=/by-hand&port=${beside.backendPort}&outboundHostname=127.0.0.1`;
      const response = await first.admin(`/v1/docker-flow-proxy/reconfigure?${query}`, { timeoutMs: 20_000 });
      return JSON.parse(response.body) as { readonly Message: string; readonly serving: readonly string[] };
    };
    // Consul was away in the test before: a proxy follows its keys again before it has a new session.
    await until('both have a session', async () => (await reconfigure()).serving.length === 2, { withinMs: 60_000 });
    await second.kill();
    const late = await first.admin('/v1/docker-flow-proxy/remove?serviceName=by-hand', { timeoutMs: 20_000 });
    expect(late.status).to.equal(200);
    expect(late.body).to.include('Distributed to 1 of 2 instances, waiting for ');
    const began = performance.now();
    await until(
      'the dead one does not count any more',
      async () => (await reconfigure()).Message === 'Distributed to all instances',
      { withinMs: 60_000 },
    );
    console.log(`      a killed replica counted for ${Math.round(performance.now() - began)} ms more`);
    second.start();
    await untilResponds({ url: `${second.httpUrl}/by-hand` }, 200);
    await first.admin('/v1/docker-flow-proxy/remove?serviceName=by-hand');
    await everywhere('/by-hand', 503);
  });

  it('take services that their owner removes away at once, in any number', async () => {
    const gone = names.slice(4);
    await beside.removeServices(gone);
    const began = performance.now();
    for (const name of gone) await everywhere(`/${name}`, 503, 20_000);
    console.log(`      ${gone.length} of ${names.length} were gone after ${Math.round(performance.now() - began)} ms`);
    await allRespond(names.slice(0, 4), 200);
    for (const name of gone) await beside.deploy(name);
    for (const name of gone) await everywhere(`/${name}`, 200);
  });

  it('hold services whose keys vanish unexplained, until the operator forces a reload', async () => {
    const loss = await fetch(`${cluster.client.url}/v1/kv/swarmgate/services/swarm/?recurse`, { method: 'DELETE' });
    expect(loss.status).to.equal(200);
    await until('both hold', async () => (await states()).every((state) => state === 'holding'));
    await allRespond(names, 200);
    // The listener restarts and publishes what is missing, so nothing needs to be forced.
    await listener.stop();
    listener.start();
    await until('both follow', async () => (await states()).every((state) => state === 'following'), {
      withinMs: 60_000,
    });
    await allRespond(names, 200);

    // Without its listener nothing comes back by itself.
    await listener.stop();
    const kv = stackConsul(cluster.client.url, 'swarmgate', '');
    for (const key of await kv.keys('services/swarm/')) if (!key.endsWith(`/${kept}`)) await kv.delete(key);
    await until('both hold', async () => (await states()).every((state) => state === 'holding'));
    await allRespond(names, 200);
    const forced = await proxies[0]?.admin('/v1/reload?force=true', { method: 'POST' });
    expect(forced?.status).to.equal(200);
    for (const name of others) await everywhere(`/${name}`, 503);
    await allRespond([kept], 200);
    listener.start();
    for (const name of others) await everywhere(`/${name}`, 200);
  });

  it('lose nothing when Consul is wiped: listeners and `swarmgate restore` fill it again', async () => {
    const [first] = proxies as [HostProxy, HostProxy];
    const env = { ...process.env, SWARMGATE_URL: first.adminUrl };
    const cli = (...args: readonly string[]) => run(process.execPath, [swarmgate, ...args], { env });
    await cli(
      'reconfigure',
      'by-hand',
      'servicePath=/by-hand',
      `port=${beside.backendPort}`,
      'outboundHostname=127.0.0.1',
    );
    await everywhere('/by-hand', 200);

    const began = performance.now();
    const all = [...cluster.servers, cluster.client];
    await Promise.all(all.map((agent) => agent.kill()));
    await Promise.all(all.map((agent) => agent.wipe()));
    await allRespond([...names, 'by-hand'], 200);
    await Promise.all(all.map((agent) => agent.start()));
    const kv = stackConsul(cluster.client.url, 'swarmgate', '');
    await until('the listener filled it', async () => (await kv.keys('services/swarm/')).length === names.length, {
      withinMs: 60_000,
    });
    console.log(`      filled again ${Math.round(performance.now() - began)} ms after the loss`);
    await until('both hold', async () => (await states()).every((state) => state === 'holding'));
    await allRespond([...names, 'by-hand'], 200);
    const { stdout } = await cli('restore');
    expect(stdout).to.include('by-hand');
    await cli('reload', '--force');
    await until('both follow', async () => (await states()).every((state) => state === 'following'));
    await allRespond([...names, 'by-hand'], 200);
    expect(await kv.get('services/manual/by-hand')).to.be.a('string');
    await changeIsServed('afterwards');
  });
});
