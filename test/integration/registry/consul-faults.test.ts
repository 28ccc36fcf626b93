import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';
import { createConsulStore, createRegistry, keyLayout, type Registry, type ServiceChange } from '@swarmgate/registry';
import { expect } from 'chai';
import { FollowedChanges } from '../../../packages/registry/test/followed-changes.ts';
import { definitionOf } from '../../../packages/registry/test/sample-definition.ts';
import { rejection } from '../../../packages/registry/test/store-contract.ts';
import { type RunningConsul, startConsul } from '../../harness/consul.ts';

const options = { by: 'tests', signal: new AbortController().signal };
const layout = keyLayout('edge');

function changeOf(service: string, port = 80): ServiceChange {
  return { owner: 'swarm', service, definition: { document: definitionOf('swarm', service, port) } };
}

describe('a follower of a Consul that fails', function () {
  this.timeout(60_000);
  let consul: RunningConsul;
  let registry: Registry;
  let followed: FollowedChanges;

  beforeEach(async () => {
    consul = await startConsul();
    registry = createRegistry({ store: createConsulStore({ address: consul.address }), instance: 'edge' });
    await registry.publish([changeOf('a'), changeOf('b'), changeOf('c')], options);
    followed = new FollowedChanges(registry);
    await followed.nextOf('snapshot');
  });

  afterEach(async () => {
    await followed.stop();
    await registry.store.close();
    await consul.remove();
  });

  it('is reported once that it is away, and gets what was changed meanwhile', async () => {
    await consul.kill();
    expect((await followed.nextOf('unreachable')).error).to.have.property('code', 'registry-unreachable');
    expect(await rejection(registry.publish([changeOf('a', 81)], options))).to.have.property(
      'code',
      'registry-unreachable',
    );
    await consul.start();
    const back = await followed.nextOf('snapshot', 30_000);
    expect(back.cause).to.equal('reconnect');
    expect(back.snapshot.services.size).to.equal(3);
    await registry.publish([changeOf('a', 82)], options);
    expect([...(await followed.nextOf('delta')).services.keys()]).to.deep.equal(['swarm/a']);
  });

  it('never takes a wiped Consul for one without services', async () => {
    await consul.kill();
    await consul.wipe();
    await consul.start();
    await followed.nextOf('unreachable');
    // Not stored silently at the old, high index, and not an empty snapshot either.
    await followed.nextOf('head-missing', 30_000);
    await registry.publish([changeOf('a')], options);
    const { snapshot, cause } = await followed.nextOf('snapshot', 30_000);
    expect(cause).to.equal('other-registry');
    expect([...snapshot.services.keys()]).to.deep.equal(['swarm/a']);
  });

  it('serves an edit by Consul’s own API, as its UI makes it', async () => {
    const key = layout.documentKey('services', 'swarm/b');
    const tookMs: number[] = [];
    for (const port of [4711, 4712, 4713]) {
      const body = JSON.stringify(definitionOf('swarm', 'b', port), undefined, 2);
      const began = performance.now();
      await fetch(`${consul.url}/v1/kv/${key}`, { method: 'PUT', body });
      const { snapshot, cause } = await followed.nextOf('snapshot');
      tookMs.push(performance.now() - began);
      expect(cause).to.equal('hand-edit');
      const stored = snapshot.services.get('swarm/b');
      expect(stored?.ok && stored.document.destinations[0]?.port).to.equal(port);
    }
    // The fastest one: what the machine has to do beside is no property of ours.
    expect(Math.min(...tookMs)).to.be.lessThan(1_000);
  });

  it('is not woken by what is none of its business', async () => {
    for (let n = 0; n < 5; n += 1) {
      await registry.store.transact([{ kind: 'set', key: layout.replica('proxy-1'), value: String(n) }]);
      await registry.store.transact([{ kind: 'set', key: 'another/services/swarm/a', value: String(n) }]);
    }
    await registry.publish([changeOf('a', 81)], options);
    await followed.nextOf('delta');
    // What the journal does not explain is read in full only after a while: twice as long as it is given.
    await pause(500);
    expect(followed.waiting).to.deep.equal([]);
  });
});

describe('a follower whose token is lost, under default-deny', function () {
  this.timeout(60_000);
  let consul: RunningConsul;

  before(async () => {
    consul = await startConsul({ acl: true });
  });

  after(() => consul.remove());

  it('is reported so and never sees an empty registry', async () => {
    const token = await consul.createToken('key_prefix "edge/" { policy = "read" }');
    const writing = createConsulStore({ address: consul.address, token: consul.managementToken ?? '' });
    const reading = createConsulStore({ address: consul.address, token });
    const publisher = createRegistry({ store: writing, instance: 'edge' });
    await publisher.publish([changeOf('a'), changeOf('b')], options);
    const followed = new FollowedChanges(createRegistry({ store: reading, instance: 'edge' }));
    try {
      expect((await followed.nextOf('snapshot')).snapshot.services.size).to.equal(2);
      await consul.revokeToken(token);
      // Wakes every wait: each of them gets the response for a token that may see nothing.
      await publisher.publish([changeOf('a', 81)], options);
      expect((await followed.nextOf('unreachable', 30_000)).error).to.have.property('code', 'registry-denied');
      expect(await rejection(reading.getMany([layout.head]))).to.have.property('code', 'registry-denied');
      expect(await rejection(reading.transact([{ kind: 'set', key: layout.head, value: '' }]))).to.have.property(
        'code',
        'registry-denied',
      );
      expect(followed.waiting).to.deep.equal([]);
      for (const call of [
        () => reading.get(layout.head),
        () => reading.transact([{ kind: 'delete', key: layout.head }]),
      ]) {
        expect(inspect(await rejection(call()), { depth: 20, showHidden: true })).to.not.contain(token);
      }
    } finally {
      await followed.stop();
      await reading.close();
      await writing.close();
    }
  });

  it('is reported so without a token too, though to it the registry looks empty', async () => {
    const store = createConsulStore({ address: consul.address });
    try {
      expect((await store.list(layout.services)).data).to.deep.equal([]);
      const registry = createRegistry({ store, instance: 'edge' });
      expect(await rejection(registry.read(options.signal))).to.have.property('code', 'registry-denied');
    } finally {
      await store.close();
    }
  });
});
