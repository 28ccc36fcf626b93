import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createConsulStore, createRegistry, type Registry } from '@swarmgate/registry';
import { expect } from 'chai';
import { type RunningConsul, startConsul } from '../harness/consul.ts';
import { type FaultyRelay, startFaultyRelay } from '../harness/faulty-relay.ts';
import { type StackConsul, stackConsul } from '../harness/stack-consul.ts';
import { until } from '../harness/until.ts';
import { type DockerRelay, relayDocker } from '../integration/swarm-listener/docker-relay.ts';
import { type BesideASwarm, type HostListener, type HostProxy, startBesideASwarm } from './beside-a-swarm.ts';

const run = promisify(execFile);
const swarmgate = fileURLToPath(new URL('../../packages/cli/bin/swarmgate.mjs', import.meta.url));
const names = ['alpha', 'beta', 'gamma'];

interface LabListener extends HostListener {
  readonly consulRelay: FaultyRelay;
  readonly dockerRelay: DockerRelay;
}

/** Three listeners, each with a way to Consul and to the Swarm that can fail alone; one of them leads. */
describe('the leading listener', function () {
  this.timeout(120_000);
  let consul: RunningConsul;
  let kv: StackConsul;
  let registry: Registry;
  let beside: BesideASwarm;
  let proxy: HostProxy;
  let listeners: LabListener[];
  let changes = 0;

  before(async () => {
    [consul, beside] = await Promise.all([startConsul(), startBesideASwarm()]);
    kv = stackConsul(consul.url, 'swarmgate', '');
    registry = createRegistry({ store: createConsulStore({ address: consul.address }), instance: 'swarmgate' });
    listeners = await Promise.all(
      [1, 2, 3].map(async () => {
        const consulRelay = await startFaultyRelay(consul.address);
        const dockerRelay = await relayDocker(beside.swarm.nodes[0].dockerHost.replace('unix://', ''));
        const env = { CONSUL_HTTP_ADDR: consulRelay.address, DOCKER_HOST: dockerRelay.dockerHost };
        return Object.assign(await beside.startListener(env), { consulRelay, dockerRelay });
      }),
    );
    for (const name of names) await beside.deploy(name);
    proxy = await beside.startProxy({ CONSUL_HTTP_ADDR: consul.address });
    for (const name of names) await served(`/${name}`);
  });

  after(async () => {
    await beside.remove();
    for (const { consulRelay, dockerRelay } of listeners) {
      await consulRelay.close();
      await dockerRelay.stop();
    }
    await registry.store.close();
    await consul.remove();
  });

  const served = (path: string) => until(`${path} is served`, async () => (await proxy.status(path)) === 200);
  const leader = () =>
    until('one leads', async () => {
      const leading = await Promise.all(listeners.map((each) => each.isLeading()));
      return listeners.find((_, index) => leading[index]);
    });
  /** The session that holds the lock. */
  const session = async () => {
    const response = await fetch(`${consul.url}/v1/kv/swarmgate/leader/swarm`);
    const [entry] = (await response.json()) as { readonly Session?: string }[];
    return entry?.Session;
  };
  const sequence = async () => {
    const read = await registry.read(AbortSignal.timeout(5_000));
    return read.kind === 'snapshot' ? read.snapshot.sequence : undefined;
  };

  /** Everything that the journal says was removed. */
  const removals = async () => {
    const head = JSON.parse((await kv.get('head')) ?? '') as { readonly changes: { readonly remove: string[] }[] };
    return head.changes.flatMap(({ remove }) => remove);
  };
  const claims = async () =>
    Promise.all(
      names.map(async (name) => {
        const document = JSON.parse((await kv.get(`services/swarm/${name}`)) ?? '') as {
          readonly destinations: readonly { readonly servicePath: readonly string[]; readonly since: number }[];
        };
        return document.destinations.map(({ servicePath, since }) => ({ servicePath, since }));
      }),
    );

  const losses = [
    ['is killed', 15_000, (lost: LabListener) => lost.kill(), (lost: LabListener) => lost.start()],
    ['is paused', 15_000, (lost: LabListener) => lost.signal('SIGSTOP'), (lost: LabListener) => lost.signal('SIGCONT')],
    [
      'is cut off from Consul',
      15_000,
      (lost: LabListener) => lost.consulRelay.freeze(),
      (lost: LabListener) => lost.consulRelay.heal(),
    ],
    [
      'is cut off from the Swarm',
      40_000,
      (lost: LabListener) => lost.dockerRelay.freeze(),
      (lost: LabListener) => lost.dockerRelay.heal(),
    ],
  ] as const;
  for (const [what, atMostMs, lose, restore] of losses) {
    it(`is replaced within ${atMostMs / 1_000} s when it ${what}, and its late write is refused`, async () => {
      const lost = await leader();
      const lostSession = await session();
      const claimed = await claims();
      const began = performance.now();
      await lose(lost);
      const successor = await until(
        'another holds the lock',
        async () => {
          const now = await session();
          return now !== undefined && now !== lostSession ? now : undefined;
        },
        { withinMs: 60_000 },
      );
      const tookMs = performance.now() - began;
      console.log(`      replaced after ${(tookMs / 1_000).toFixed(1)} s`);
      expect(tookMs).to.be.below(atMostMs);
      expect(await removals(), 'what was removed meanwhile').to.deep.equal([]);
      expect(await claims(), 'paths and their dates').to.deep.equal(claimed);

      changes += 1;
      await beside.setPath('alpha', `/alpha,/change-${changes}`);
      await served(`/change-${changes}`);
      const written = await kv.get('services/swarm/alpha');
      const late = registry.publish([{ owner: 'swarm', service: 'alpha', definition: { document: null } }], {
        by: 'the former leader',
        signal: AbortSignal.timeout(10_000),
        fence: { key: 'swarmgate/leader/swarm', session: lostSession ?? '' },
      });
      expect(
        await late.then(
          () => 'written',
          () => 'refused',
        ),
      ).to.equal('refused');
      await restore(lost);
      await until('the former leader stands by', async () => (await lost.status())?.publishing.leading === false);
      expect(await session()).to.equal(successor);
      expect(await kv.get('services/swarm/alpha')).to.equal(written);
      for (const name of names) expect(await proxy.status(`/${name}`)).to.equal(200);
    });
  }

  it('publishes nothing from a listing that is older than what the registry knows', async () => {
    const own = JSON.parse((await kv.get('services/swarm/beta')) ?? '') as { readonly source: object };
    const newer = { ...own, service: 'delta', source: { ...own.source, versionIndex: 1_000_000_000 } };
    await kv.put('services/swarm/delta', JSON.stringify(newer));
    await until('the manual edit is read', async () => (await proxy.admin('/v1/services')).body.includes('"delta"'));
    // A listener judges its listing when it begins to lead, by what it has read by then: the edit may be a moment later.
    await until(
      'a new leader takes its listing for stale',
      async () => {
        const former = await leader();
        await former.stop();
        former.start();
        const leading = await leader();
        const isStale = async () => (await leading.status())?.publishing.judgement?.kind === 'stale';
        return await until('it is stale', isStale, { withinMs: 3_000 }).catch(() => false);
      },
      { withinMs: 60_000 },
    );
    const before = await sequence();
    await beside.removeServices(['gamma']);
    await beside.setPath('alpha', '/not-yet');
    // Nothing tells that nothing will happen: longer than any change takes to be published.
    await pause(1_500);
    expect(await sequence()).to.equal(before);
    expect(await proxy.status('/gamma')).to.equal(200);
    await kv.delete('services/swarm/delta');
    await until(
      'the registry is seen without it',
      async () => !(await proxy.admin('/v1/services')).body.includes('"delta"'),
    );
    await beside.setPath('alpha', '/believed');
    await until('the listing is believed again', async () => (await proxy.status('/gamma')) === 503, {
      withinMs: 60_000,
    });
    await served('/believed');
  });

  it('publishes for a recreated Swarm only after `swarmgate adopt`', async () => {
    const [node] = beside.swarm.nodes;
    await node.docker.swarmLeave({ force: true });
    await node.docker.swarmInit({ AdvertiseAddr: node.address, ListenAddr: '0.0.0.0:2377' });
    await beside.deploy('epsilon');
    const leading = await until(
      'the leader sees another Swarm',
      async () => {
        for (const each of listeners) {
          const status = await each.status();
          if (status?.publishing.leading && status.publishing.judgement?.kind === 'other-swarm') return each;
        }
        return undefined;
      },
      { withinMs: 60_000 },
    );
    expect(await proxy.status('/beta')).to.equal(200);
    expect(await proxy.status('/epsilon')).to.equal(503);
    await run(process.execPath, [swarmgate, 'adopt', '--url', leading.url]);
    await served('/epsilon');
    await until("the former Swarm's services are gone", async () => (await proxy.status('/beta')) === 503);
  });
});
