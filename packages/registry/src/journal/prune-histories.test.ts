import { expect } from 'chai';
import { openRegistryUnderTest, type RegistryUnderTest } from '../../test/embedded-registry.ts';
import { definitionOf } from '../../test/sample-definition.ts';
import type { ServiceChange } from '../registry.ts';
import { mostRemovedHistories, removalsBetweenLooks } from './prune-histories.ts';

const signal = new AbortController().signal;
const options = { by: 'tests', signal };
const nameOf = (n: number) => `s${n}`;

describe('histories of removed services', () => {
  let under: RegistryUnderTest;

  beforeEach(async () => {
    under = await openRegistryUnderTest();
  });

  afterEach(() => under.remove());

  const put = (owner: string, service: string, port = 80): ServiceChange => ({
    owner,
    service,
    definition: { document: definitionOf(owner, service, port) },
  });
  const remove = (owner: string, service: string): ServiceChange => ({
    owner,
    service,
    definition: { document: null },
  });
  const some = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => nameOf(from + n));
  const publish = (changes: readonly ServiceChange[], more = {}) =>
    under.registry.publish(changes, { ...options, ...more });
  const keptHistories = async (owner: string) => {
    const { data } = await under.store.keys(`${under.layout.histories}${owner}/`, undefined);
    return new Set(data.map((key) => key.split('/')[3]));
  };

  it('are kept of those that were removed last, entry by entry, and of every service that is there', async () => {
    const first = some(0, 60);
    const last = some(60, 60 + mostRemovedHistories);
    const present = ['zeta'];
    await publish([...first, ...last, ...present].map((name) => put('swarm', name)));
    await publish([...first, ...present].map((name) => put('swarm', name, 81)));
    // Those of others are none of its business.
    await publish(some(0, 3).map((name) => put('manual', name)));
    await publish(some(0, 3).map((name) => remove('manual', name)));
    await publish(first.map((name) => remove('swarm', name)));
    expect((await keptHistories('swarm')).size).to.equal(61);
    await publish(last.map((name) => remove('swarm', name)));
    expect([...(await keptHistories('swarm'))]).to.have.members([...last, ...present]);
    expect((await keptHistories('manual')).size).to.equal(3);
  });

  it('are counted now and then only', async () => {
    const names = some(0, mostRemovedHistories + removalsBetweenLooks + 20);
    await publish(names.map((name) => put('swarm', name)));
    for (const name of names) await publish([remove('swarm', name)]);
    // Looked at after the removals 1, 52, 103 and 154: the last 16 came on top.
    expect((await keptHistories('swarm')).size).to.equal(mostRemovedHistories + 16);
  });

  it('stay where the service has come back in between', async () => {
    const names = some(0, mostRemovedHistories + 3);
    await publish(names.map((name) => put('swarm', name)));
    const keys = under.store.keys;
    // Between the look and the deletion: nothing but bad luck makes this happen by itself.
    under.store.keys = async (prefix, ...more) => {
      const response = await keys.call(under.store, prefix, ...more);
      if (prefix.includes('/services/'))
        await under.write({
          kind: 'set',
          key: under.layout.documentKey('services', 'swarm/s0'),
          value: JSON.stringify(definitionOf('swarm', 's0')),
        });
      return response;
    };
    await publish(names.map((name) => remove('swarm', name)));
    expect(await keptHistories('swarm')).to.include('s0');
  });
});
