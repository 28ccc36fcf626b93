import { silentLogger } from '@swarmgate/runtime';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { z } from 'zod';
import { openRegistryUnderTest, type RegistryUnderTest } from '../../test/embedded-registry.ts';
import type { ReplicaPresence, ReplicaStatus } from '../registry.ts';
import { announceReplica } from './presence.ts';
import { ReplicaBarrier } from './replica-barrier.ts';
import { leftNote } from './replica-status.ts';

const signal = new AbortController().signal;
const position = (sequence: number) => ({ registryId: 'r', sequence });
const at = (sequence: number) => ({ ...position(sequence), routes: 3, rejected: 0 });

/** What versions before 0.3.0 take for the status of a replica. */
const formerSchema = z.object({
  replica: z.string().min(1).max(256),
  registryId: z.string(),
  sequence: z.number(),
  routes: z.number(),
  rejected: z.number(),
  version: z.string(),
  since: z.string(),
});

describe('a replica that drains', () => {
  let under: RegistryUnderTest;
  let one: ReplicaPresence;
  let two: ReplicaPresence;

  beforeEach(async () => {
    under = await openRegistryUnderTest();
    one = announce('one', 1);
    // Reports of it wait for each other for an hour, and its drain must not.
    two = announce('two', 3_600_000);
    one.report(at(5));
    two.report(at(5));
    await until('both are there', async () => (await stateOf(one)) === 'one two');
  });
  afterEach(async () => {
    await Promise.all([one.stop(), two.stop()]);
    await under.remove();
  });

  function announce(replica: string, betweenWritesMs: number): ReplicaPresence {
    const { store, layout } = under;
    return announceReplica({ store, layout, replica, version: '1.0', logger: silentLogger, betweenWritesMs });
  }

  const stateOf = async (presence: ReplicaPresence) =>
    (await presence.list(signal)).map(({ replica, draining }) => `${replica}${draining ? ' drains' : ''}`).join(' ');
  const drains = (presence: ReplicaPresence) =>
    until('it is marked', async () => (await stateOf(presence)) === 'one two drains');
  const documentOf = async (replica: string): Promise<unknown> =>
    JSON.parse((await under.store.get(under.layout.replica(replica)))?.value ?? 'null');

  it('is listed as such, with its status, until it stops', async () => {
    two.drain();
    await drains(one);
    await drains(two);
    const [, status] = await one.list(signal);
    expect(status).to.deep.include({ replica: 'two', version: '1.0', sequence: 5, routes: 3, draining: true });
    expect(Date.parse(status?.since ?? '')).to.be.greaterThan(0);
    await two.stop();
    expect(await stateOf(one)).to.equal('one');
    expect((await under.store.list(under.layout.proxies, signal)).data).to.have.length(1);
  });

  it('is waited for no more, neither by those that wait already nor by others', async () => {
    const waiting = one.waitUntilServed(position(6), 20_000, signal);
    one.report(at(6));
    expect(await one.waitUntilServed(position(6), 1_000, signal)).to.deep.equal({
      serving: ['one'],
      waitingFor: ['two'],
    });
    two.drain();
    expect(await waiting).to.deep.equal({ serving: ['one'], waitingFor: [] });
    expect(await one.waitUntilServed(position(6), 20_000, signal)).to.have.deep.property('waitingFor', []);
  });

  it('still waits for itself and the others with a change that came through it', async () => {
    two.drain();
    await drains(one);
    const waiting = two.waitUntilServed(position(6), 20_000, signal);
    expect(await two.waitUntilServed(position(6), 1_000, signal)).to.have.deep.property('waitingFor', ['one', 'two']);
    one.report(at(6));
    two.report(at(6));
    expect(await waiting).to.deep.equal({ serving: ['one', 'two'], waitingFor: [] });
    expect(await stateOf(one)).to.equal('one two drains');
  });

  it('is no status for versions that know no draining replicas, as if it were gone', async () => {
    expect(formerSchema.safeParse(await documentOf('two')).success).to.equal(true);
    two.drain();
    await drains(one);
    expect(formerSchema.safeParse(await documentOf('two')).success).to.equal(false);
  });

  it('is not draining where a former version wrote its status', async () => {
    const former: ReplicaStatus = { replica: 'old', ...at(5), version: '0.2', since: new Date().toISOString() };
    await under.write({ kind: 'set', key: under.layout.replica('old'), value: JSON.stringify(former) });
    expect(await stateOf(one)).to.equal('old one two');
    const report = await one.waitUntilServed(position(6), 1_000, signal);
    expect(report.waitingFor).to.include('old');
  });

  /** A replica `three`, while it drains. */
  const losesItsSession = async (three: ReplicaPresence) => {
    const { store, layout } = under;
    three.report(at(5));
    three.drain();
    await until('it is marked', async () => (await stateOf(one)) === 'one three drains two');
    await store.destroySession((await store.get(layout.replica('three')))?.session ?? '');
  };

  it('leaves the note of its end as soon as its session is lost, while its last requests go on', async () => {
    const three = announce('three', 1);
    try {
      await losesItsSession(three);
      three.report(at(6));
      await until('it has gone', async () => JSON.stringify(await documentOf('three')) === leftNote('three'));
      expect(await stateOf(one)).to.equal('one two');
    } finally {
      await three.stop();
    }
    expect(JSON.stringify(await documentOf('three'))).to.equal(leftNote('three'));
  });

  it('counts as gone where its session is lost, and leaves its key to another process of its name', async () => {
    const { store, layout } = under;
    const ended = Promise.withResolvers<void>();
    const tasks = {
      run: async (_task: string, _signal: AbortSignal, work: () => Promise<unknown>) => {
        await work();
        ended.resolve();
      },
    };
    const identity = { store, layout, replica: 'three', version: '1.0', logger: silentLogger };
    const three = announceReplica({ ...identity, betweenWritesMs: 1, tasks });
    const next = announceReplica({ ...identity, betweenWritesMs: 1 });
    try {
      await losesItsSession(three);
      next.report(at(5));
      await until('the next is there', async () => (await stateOf(one)) === 'one three two');
      three.report(at(6));
      await ended.promise;
      await three.stop();
      expect(await stateOf(one)).to.equal('one three two');
    } finally {
      await Promise.all([three.stop(), next.stop()]);
    }
  });

  it('does not take its own mark for a session that was lost, behind which it would count replicas that are gone', async () => {
    const status = (replica: string): ReplicaStatus => ({ replica, ...at(5), version: '1.0', since: '' });
    const own = { ...status('two'), draining: true } as const;
    const lostMs = 500;
    const { store, layout } = under;
    const barrier = new ReplicaBarrier({
      store,
      layout,
      own: () => own,
      isWritten: () => true,
      lostMs,
      betweenRetriesMs: 1,
    });
    barrier.note({ live: [status('one'), status('two')], draining: [], left: [] });
    barrier.note({ live: [status('one')], draining: [own], left: [] });
    const notedMs = performance.now();
    two.drain();
    await drains(one);
    await one.stop();
    await until('it would have forgotten those', () => performance.now() > notedMs + lostMs);
    expect(await barrier.wait(() => false, 1_000, signal)).to.deep.equal({ serving: [], waitingFor: ['two'] });
  });

  it('is in no list where it never reported anything', async () => {
    const three = announce('three', 1);
    three.drain();
    await three.stop();
    expect(await stateOf(one)).to.equal('one two');
  });
});
