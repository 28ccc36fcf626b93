import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { TrackedConnections } from './tracked-connections.ts';

describe('tracked connections', () => {
  const connection = (name: string, calls: string[]) => ({
    trackPlace: -1,
    drain: () => calls.push(`drain ${name}`),
    destroy: () => calls.push(`destroy ${name}`),
  });

  it('are drained together, and the drain ends with the last of them', async () => {
    const calls: string[] = [];
    const tracked = new TrackedConnections();
    const [one, two] = [connection('one', calls), connection('two', calls)];
    tracked.add(one);
    tracked.add(two);
    expect(tracked.draining).to.equal(false);
    const drained = tracked.drain(60_000);
    expect(tracked.draining).to.equal(true);
    tracked.remove(one);
    tracked.remove(two);
    await drained;
    expect(calls).to.deep.equal(['drain one', 'drain two']);
  });

  it('are destroyed at the deadline', async () => {
    const calls: string[] = [];
    const tracked = new TrackedConnections();
    tracked.add(connection('slow', calls));
    await tracked.drain(0);
    expect(calls).to.deep.equal(['drain slow', 'destroy slow']);
  });

  it('end a drain at once where there are none', async () => {
    await new TrackedConnections().drain(60_000);
  });

  it('are destroyed but for those that were removed, in whatever order', async () => {
    const calls: string[] = [];
    const tracked = new TrackedConnections();
    const all = ['a', 'b', 'c', 'd'].map((name) => connection(name, calls));
    for (const each of all) tracked.add(each);
    for (const at of [0, 2]) tracked.remove(all[at] as (typeof all)[number]);
    for (const at of [0, 2]) tracked.remove(all[at] as (typeof all)[number]);
    await tracked.drain(0);
    expect(calls.filter((call) => call.startsWith('destroy')).toSorted()).to.deep.equal(['destroy b', 'destroy d']);
  });

  it('do not survive a collection of young objects once they are removed', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as (options?: { readonly type: 'minor' }) => void;
    const oldBytes = () =>
      getHeapSpaceStatistics().find((each) => each.space_name === 'old_space')?.space_used_size ?? 0;
    const tracked = new TrackedConnections();
    const open = Array.from({ length: 32 }, () => ({ ...connection('', []), weight: new Array(200).fill(0.5) }));
    for (const each of open) tracked.add(each);
    // What is tracked, and what it is tracked in, is old now.
    collect();
    const before = oldBytes();
    for (let round = 0; round < 4_000; round += 1) {
      const next = { ...connection('', []), weight: new Array(200).fill(0.5) };
      tracked.add(next);
      tracked.remove(open[round % open.length] as (typeof open)[number]);
      open[round % open.length] = next;
      if (round % 500 === 0) collect({ type: 'minor' });
    }
    // All that were tracked weigh more than 6 MB.
    expect(oldBytes() - before).to.be.below(2_000_000);
  });
});
