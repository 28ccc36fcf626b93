import { createConsulStore, createRegistry, type ServiceChange } from '@swarmgate/registry';
import { expect } from 'chai';
import { FollowedChanges } from '../../packages/registry/test/followed-changes.ts';
import { definitionOf } from '../../packages/registry/test/sample-definition.ts';
import { type ConsulCluster, startConsul, startConsulCluster } from '../harness/consul.ts';
import { until } from '../harness/until.ts';

const options = { by: 'tests', signal: new AbortController().signal };
const changeOf = (port: number): ServiceChange => ({
  owner: 'swarm',
  service: 'web',
  definition: { document: definitionOf('swarm', 'web', port) },
});

describe('a registry in three Consul servers', function () {
  this.timeout(90_000);
  let cluster: ConsulCluster;

  before(async () => {
    cluster = await startConsulCluster();
  });

  after(() => cluster.remove());

  const losses = [
    ['killed', 'kill'],
    ['paused', 'pause'],
  ] as const;
  for (const [what, lose] of losses) {
    it(`goes on when the leading server is ${what}, and its followers see no empty registry`, async () => {
      const registry = createRegistry({
        store: createConsulStore({ address: cluster.client.address }),
        instance: `edge-${what}`,
      });
      await registry.publish([changeOf(1)], options);
      const followed = new FollowedChanges(registry);
      await followed.nextOf('snapshot');
      const leader = await cluster.leader();
      try {
        await leader[lose]();
        const began = performance.now();
        await until('a change is published', () => registry.publish([changeOf(2)], options), { withinMs: 60_000 });
        console.log(`      written again after ${Math.round(performance.now() - began)} ms`);
        for (let port: unknown; port !== 2; ) {
          const change = await followed.next(60_000);
          expect(change.kind).to.not.equal('head-missing');
          if (change.kind !== 'snapshot' && change.kind !== 'delta') continue;
          const { services } = change.kind === 'snapshot' ? change.snapshot : change;
          const stored = services.get('swarm/web');
          if (change.kind === 'snapshot') expect(stored).to.have.property('ok', true);
          if (stored?.ok) port = stored.document.destinations[0]?.port;
        }
      } finally {
        if (lose === 'pause') leader.resume();
        else await leader.start();
        await followed.stop();
        await registry.store.close();
      }
    });
  }
});

describe('a registry in a Consul that is restored to an older state', function () {
  this.timeout(90_000);

  it('is noticed by its followers, at the latest when a blocking query has lasted for its time', async () => {
    const consul = await startConsul();
    const registry = createRegistry({ store: createConsulStore({ address: consul.address }), instance: 'edge' });
    await registry.publish([changeOf(80)], options);
    const followed = new FollowedChanges(registry);
    try {
      await followed.nextOf('snapshot');
      const saved = await (await fetch(`${consul.url}/v1/snapshot`)).arrayBuffer();
      await registry.publish([changeOf(81)], options);
      await followed.nextOf('delta');
      const restored = await fetch(`${consul.url}/v1/snapshot`, { method: 'PUT', body: saved });
      expect(restored.status).to.equal(200);
      for (;;) {
        const change = await followed.next(30_000);
        if (change.kind !== 'snapshot') continue;
        const stored = change.snapshot.services.get('swarm/web');
        expect(stored?.ok && stored.document.destinations[0]?.port).to.equal(80);
        expect(change.cause).to.equal('index-backwards');
        break;
      }
      await registry.publish([changeOf(83)], options);
      await followed.nextOf('delta');
    } finally {
      await followed.stop();
      await registry.store.close();
      await consul.remove();
    }
  });
});
