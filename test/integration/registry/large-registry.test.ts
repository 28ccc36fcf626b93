import { createConsulStore, createRegistry, type KeyValueStore, type ServiceChange } from '@swarmgate/registry';
import { expect } from 'chai';
import { FollowedChanges } from '../../../packages/registry/test/followed-changes.ts';
import { definitionOf, endpointsOf } from '../../../packages/registry/test/sample-definition.ts';
import { type RunningConsul, startConsul } from '../../harness/consul.ts';
import { type CountingRelay, startCountingRelay } from '../../harness/counting-relay.ts';

const many = 10_000;
const signal = new AbortController().signal;
const by = 'tests';
const changeOf = (service: string, port: number): ServiceChange => ({
  owner: 'swarm',
  service,
  definition: { document: definitionOf('swarm', service, port) },
  endpoints: endpointsOf('swarm', service),
});

describe(`a registry of ${many} definitions in Consul`, function () {
  this.timeout(120_000);
  let consul: RunningConsul;
  let relay: CountingRelay;
  let writing: KeyValueStore;
  let reading: KeyValueStore;
  let followed: FollowedChanges;

  before(async () => {
    consul = await startConsul();
    relay = await startCountingRelay(consul.address);
    writing = createConsulStore({ address: consul.address });
    reading = createConsulStore({ address: relay.address });
  });

  after(async () => {
    await followed?.stop();
    await reading.close();
    await writing.close();
    await relay.close();
    await consul.remove();
  });

  it('is published in whole transactions and read in full', async () => {
    const registry = createRegistry({ store: writing, instance: 'large' });
    const changes = Array.from({ length: many }, (_, n) => changeOf(`service-${n}`, 8080));
    const began = performance.now();
    const report = await registry.publish(changes, { by, signal });
    const tookMs = performance.now() - began;
    console.log(`      published in ${report.transactions} transactions, ${Math.round(tookMs)} ms`);
    expect(report.transactions).to.be.lessThan(many / 25);
    expect(tookMs).to.be.lessThan(60_000);

    const again = await registry.publish(changes, { by, signal });
    expect(again).to.deep.include({ transactions: 0, sequence: report.sequence });
    expect(again.unchanged).to.have.lengthOf(many);

    followed = new FollowedChanges(createRegistry({ store: reading, instance: 'large' }));
    const { snapshot } = await followed.nextOf('snapshot', 60_000);
    expect(snapshot.services.size).to.equal(many);
    expect(snapshot.endpoints.size).to.equal(many);
  });

  it('moves less than 200 KB to a follower for one change', async () => {
    const registry = createRegistry({ store: writing, instance: 'large' });
    const before = relay.receivedBytes();
    const began = performance.now();
    await registry.publish([changeOf('service-4711', 9090)], { by, signal });
    const delta = await followed.nextOf('delta');
    const tookMs = performance.now() - began;
    expect([...delta.services.keys()]).to.deep.equal(['swarm/service-4711']);
    // Whatever it still fetches must not hide: the next change comes after all of this one's traffic.
    await registry.publish([changeOf('service-4712', 9090)], { by, signal });
    await followed.nextOf('delta');
    const moved = relay.receivedBytes() - before;
    console.log(`      two changes moved ${moved} bytes, the first was followed after ${Math.round(tookMs)} ms`);
    expect(moved).to.be.lessThan(2 * 200_000);
  });

  it('serves a manual edit within a second', async () => {
    const tookMs: number[] = [];
    for (let n = 0; n < 3; n++) {
      const service = `service-${42 + n}`;
      const value = JSON.stringify(definitionOf('swarm', service, 4242));
      const began = performance.now();
      await writing.transact([{ kind: 'set', key: `large/services/swarm/${service}`, value }]);
      const { snapshot, cause } = await followed.nextOf('snapshot');
      tookMs.push(performance.now() - began);
      const stored = snapshot.services.get(`swarm/${service}`);
      expect(cause).to.equal('hand-edit');
      expect(stored?.ok && stored.document.destinations[0]?.port).to.equal(4242);
    }
    console.log(`      manual edits were followed after ${tookMs.map(Math.round).join(', ')} ms`);
    // What no slow machine explains: a second read of the whole registry for each.
    expect(Math.min(...tookMs)).to.be.lessThan(5_000);
  });
});
