import { silentLogger } from '@swarmgate/runtime';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { openRegistryUnderTest, type RegistryUnderTest } from '../../test/embedded-registry.ts';
import type { JournalPosition, ReplicaPresence } from '../registry.ts';
import { announceReplica } from './presence.ts';

const signal = new AbortController().signal;
const position = (sequence: number, registryId = 'r') => ({ registryId, sequence });
const at = (sequence: number, registryId = 'r') => ({ ...position(sequence, registryId), routes: 3, rejected: 0 });

describe('replica presence', () => {
  let under: RegistryUnderTest;
  const announced: ReplicaPresence[] = [];

  beforeEach(async () => {
    under = await openRegistryUnderTest();
  });

  afterEach(async () => {
    await Promise.all(announced.splice(0).map((each) => each.stop()));
    await under.remove();
  });

  function announce(
    replica: string,
    betweenWritesMs = 1,
    awaitedPosition: () => JournalPosition | undefined = () => undefined,
    store = under.store,
  ): ReplicaPresence {
    const { layout } = under;
    const pace = { betweenWritesMs, awaitedPosition };
    const presence = announceReplica({ store, layout, replica, version: '1.0', logger: silentLogger, ...pace });
    announced.push(presence);
    return presence;
  }

  /** Resolves when that many replicas are listed. */
  async function listed(count: number): Promise<void> {
    const { store, layout } = under;
    for (let index = 0; ; ) {
      const names = await store.waitForNames(layout.proxies, index, AbortSignal.timeout(20_000));
      if (names.data.length === count) return;
      index = names.index;
    }
  }

  async function loseSessions(...replicas: readonly string[]): Promise<void> {
    for (const replica of replicas) {
      const stored = await under.store.get(under.layout.replica(replica));
      await under.store.destroySession(stored?.session ?? '');
    }
  }

  /** The registry as one replica sees it, which may be cut off. */
  function cutStore() {
    const link = { isCut: false, refused: 0 };
    const store = new Proxy(under.store, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]) => {
          if (!link.isCut) return Reflect.apply(value, target, given);
          link.refused += 1;
          return Promise.reject(new Error('no response'));
        };
      },
    });
    return { store, link };
  }

  it('lists no replica before the first report, then what was reported', async () => {
    const presence = announce('one');
    expect(await presence.list(signal)).to.deep.equal([]);
    presence.report(at(4));
    await listed(1);
    const [status] = await presence.list(signal);
    expect(status).to.deep.include({ replica: 'one', version: '1.0', sequence: 4, routes: 3, registryId: 'r' });
    expect(Date.parse(status?.since ?? '')).to.be.greaterThan(0);
  });

  it('keeps the numbers of a replica beside its status, as long as it is there', async () => {
    const { store, layout } = under;
    const [one, two] = [announce('one'), announce('two')];
    one.report(at(1));
    two.report(at(1));
    one.shareNumbers('first');
    two.shareNumbers('other');
    one.shareNumbers('second');
    const shared = async () => {
      const { data } = await store.list(layout.numbers, signal);
      return Object.fromEntries(data.map(({ key, value }) => [key, value]));
    };
    const [keyOfOne, keyOfTwo] = [`${layout.numbers}one`, `${layout.numbers}two`];
    let writes = 0;
    const transact = store.transact.bind(store);
    store.transact = (...operations) => {
      writes += 1;
      return transact(...operations);
    };
    await until('both are written', async () => Object.keys(await shared()).length === 2);
    await until('the newest stays', async () => (await shared())[keyOfOne] === 'second');
    expect(await shared()).to.have.property(keyOfTwo, 'other');
    // Statuses and documents, each with those that were replaced in between.
    expect(writes).to.be.at.most(8);
    expect((await one.list(signal)).map(({ replica }) => replica)).to.deep.equal(['one', 'two']);
    await one.stop();
    expect(await shared()).to.deep.equal({ [keyOfTwo]: 'other' });
  });

  it('responds when every replica serves the sequence', async () => {
    const [one, two] = [announce('one'), announce('two')];
    one.report(at(5));
    two.report(at(4));
    await listed(2);
    const waiting = one.waitUntilServed(position(5), 10_000, signal);
    two.report(at(6));
    expect(await waiting).to.deep.equal({ serving: ['one', 'two'], waitingFor: [] });
  });

  it('names the laggards when time is over', async () => {
    const [one, two] = [announce('one'), announce('two')];
    one.report(at(5));
    two.report(at(4));
    await listed(2);
    expect(await one.waitUntilServed(position(5), 1_000, signal)).to.deep.equal({
      serving: ['one'],
      waitingFor: ['two'],
    });
  });

  it('waits for a replica that still serves what a lost registry held, however far it had come there', async () => {
    const [one, two] = [announce('one'), announce('two')];
    one.report(at(2, 'new'));
    two.report(at(500, 'lost'));
    await listed(2);
    const report = await one.waitUntilServed(position(2, 'new'), 1_000, signal);
    expect(report).to.deep.equal({ serving: ['one'], waitingFor: ['two'] });
    const waiting = one.waitUntilServed(position(2, 'new'), 20_000, signal);
    two.report(at(2, 'new'));
    expect(await waiting).to.deep.equal({ serving: ['one', 'two'], waitingFor: [] });
  });

  it('stops waiting for a replica that stops', async () => {
    const [one, two] = [announce('one'), announce('two')];
    one.report(at(5));
    two.report(at(4));
    await listed(2);
    const waiting = one.waitUntilServed(position(5), 10_000, signal);
    await two.stop();
    expect(await waiting).to.deep.equal({ serving: ['one'], waitingFor: [] });
  });

  it('stops waiting when the caller leaves', async () => {
    const one = announce('one');
    one.report(at(1));
    await listed(1);
    const leaving = new AbortController();
    const waiting = one.waitUntilServed(position(5), 10_000, leaving.signal).catch((error: unknown) => error);
    leaving.abort(new Error('client gone'));
    expect(await waiting).to.have.property('message', 'client gone');
  });

  it('takes the key of a former process of the same name', async () => {
    const { store, layout } = under;
    const session = await store.createSession({ name: 'former', ttlMs: 10_000, behavior: 'delete' });
    await under.write({ kind: 'lock', key: layout.replica('one'), value: '{}', session });
    const presence = announce('one');
    presence.report(at(7));
    let index = 0;
    while ((await presence.list(signal))[0]?.sequence !== 7) {
      ({ index } = await store.waitForNames(layout.proxies, index, AbortSignal.timeout(20_000)));
    }
    expect(await store.renewSession(session)).to.equal(false);
  });

  it('counts itself although its key is not written yet', async () => {
    const presence = announce('one');
    presence.report(at(3));
    expect(await presence.waitUntilServed(position(4), 1_000, signal)).to.deep.equal({
      serving: [],
      waitingFor: ['one'],
    });
  });

  it('comes back when its session was lost', async () => {
    const presence = announce('one');
    presence.report(at(1));
    await listed(1);
    const stored = await under.store.get(under.layout.replica('one'));
    await under.store.destroySession(stored?.session ?? '');
    await listed(0);
    presence.report(at(2));
    await listed(1);
    expect((await presence.waitUntilServed(position(2), 10_000, signal)).serving).to.deep.equal(['one']);
  });

  it('counts replicas whose sessions were lost with its own, until they are there again', async () => {
    const [one, two] = [announce('one'), announce('two')];
    one.report(at(5));
    two.report(at(5));
    await listed(2);
    // Both are known from a listing.
    expect(await one.waitUntilServed(position(5), 10_000, signal)).to.deep.equal({
      serving: ['one', 'two'],
      waitingFor: [],
    });
    await loseSessions('one', 'two');
    await listed(0);
    expect(await one.waitUntilServed(position(5), 1_000, signal)).to.deep.equal({
      serving: ['one'],
      waitingFor: ['two'],
    });
    const waiting = one.waitUntilServed(position(6), 20_000, signal);
    one.report(at(6));
    two.report(at(6));
    expect(await waiting).to.deep.equal({ serving: ['one', 'two'], waitingFor: [] });
  });

  it('counts them also where its own session was lost because the registry did not respond', async () => {
    const { store, link } = cutStore();
    const [one, two] = [announce('one', 1, () => undefined, store), announce('two')];
    one.report(at(5));
    two.report(at(5));
    await listed(2);
    expect(await one.waitUntilServed(position(5), 10_000, signal)).to.deep.equal({
      serving: ['one', 'two'],
      waitingFor: [],
    });
    link.isCut = true;
    one.report(at(6));
    await until('one has met the outage', () => link.refused > 0);
    await loseSessions('one', 'two');
    link.isCut = false;
    await listed(1);
    expect(await one.waitUntilServed(position(6), 1_000, signal)).to.deep.equal({
      serving: ['one'],
      waitingFor: ['two'],
    });
  });

  it('stops waiting for one that stops before it has another session, and waits for the next process of its name', async () => {
    const { store, link } = cutStore();
    const [one, two] = [announce('one'), announce('two', 1, () => undefined, store)];
    one.report(at(5));
    two.report(at(5));
    await listed(2);
    await one.waitUntilServed(position(5), 10_000, signal);
    link.isCut = true;
    two.report(at(6));
    await until('two has met the outage', () => link.refused > 0);
    await loseSessions('one', 'two');
    one.report(at(6));
    await listed(1);
    const waiting = one.waitUntilServed(position(6), 15_000, signal);
    expect(await one.waitUntilServed(position(6), 1_000, signal)).to.have.deep.property('waitingFor', ['two']);
    link.isCut = false;
    await two.stop();
    expect(await waiting).to.deep.equal({ serving: ['one'], waitingFor: [] });
    expect(await one.list(signal), 'its note is no status').to.have.length(1);
    const next = announce('two');
    next.report(at(5));
    await until('it is listed', async () => (await one.list(signal)).length === 2);
    expect(await one.waitUntilServed(position(6), 1_000, signal)).to.have.deep.property('waitingFor', ['two']);
  });

  it('stops waiting for one that was there again after sessions were lost, and then stops', async () => {
    const [one, two] = [announce('one'), announce('two')];
    one.report(at(5));
    two.report(at(5));
    await listed(2);
    await one.waitUntilServed(position(5), 10_000, signal);
    await loseSessions('one', 'two');
    await listed(0);
    for (const each of [one, two]) each.report(at(6));
    await until('both are there again', async () => (await one.list(signal)).length === 2);
    await two.stop();
    expect(await one.waitUntilServed(position(6), 5_000, signal)).to.deep.equal({ serving: ['one'], waitingFor: [] });
  });

  it('leaves nothing behind where its session ends with it', async () => {
    const one = announce('one');
    one.report(at(1));
    await listed(1);
    await one.stop();
    expect((await under.store.list('edge/', signal)).data).to.deep.equal([]);
  });

  it('writes a burst of reports as few: the first at once, the last in the end', async () => {
    const presence = announce('one', 40);
    const written: number[] = [];
    const watch = (async () => {
      for (let index = 0; written.at(-1) !== 100; ) {
        const response = await under.store.waitForKey(under.layout.replica('one'), index, AbortSignal.timeout(20_000));
        index = response.index;
        if (response.data !== undefined) written.push(JSON.parse(response.data.value).sequence);
      }
    })();
    for (let sequence = 1; sequence <= 100; sequence += 1) {
      presence.report(at(sequence));
      await Promise.resolve();
    }
    await watch;
    expect(written.length).to.be.lessThan(8);
  });

  it('writes at once what a change waits for, however long a report waits otherwise', async () => {
    const anHourMs = 3_600_000;
    let awaited: JournalPosition | undefined;
    const one = announce('one');
    const two = announce('two', anHourMs, () => awaited);
    one.report(at(5));
    two.report(at(4));
    await listed(2);
    two.report(at(5));
    expect(await one.waitUntilServed(position(5), 1_000, signal)).to.have.deep.property('waitingFor', ['two']);
    awaited = position(6);
    one.report(at(6));
    two.report(at(6));
    expect(await one.waitUntilServed(position(6), 20_000, signal)).to.deep.equal({
      serving: ['one', 'two'],
      waitingFor: [],
    });
  });

  it('writes at once what a change to a new registry waits for, after it reported more of a lost one', async () => {
    const anHourMs = 3_600_000;
    let awaited: JournalPosition | undefined;
    const one = announce('one');
    const two = announce('two', anHourMs, () => awaited);
    one.report(at(1, 'new'));
    two.report(at(500, 'lost'));
    await listed(2);
    awaited = position(1, 'new');
    two.report(at(1, 'new'));
    expect(await one.waitUntilServed(position(1, 'new'), 20_000, signal)).to.have.deep.property('waitingFor', []);
  });

  it('ignores foreign keys beside the replicas', async () => {
    await under.write({ kind: 'set', key: under.layout.replica('note'), value: 'hello' });
    const presence = announce('one');
    presence.report(at(1));
    await listed(2);
    expect((await presence.waitUntilServed(position(1), 1_000, signal)).serving).to.deep.equal(['one']);
  });
});
