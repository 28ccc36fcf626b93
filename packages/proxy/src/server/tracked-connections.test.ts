import { expect } from 'chai';
import { TrackedConnections } from './tracked-connections.ts';

describe('tracked connections', () => {
  const connection = (name: string, calls: string[]) => ({
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
});
