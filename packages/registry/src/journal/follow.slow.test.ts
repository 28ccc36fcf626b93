import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { openRegistryUnderTest, type RegistryUnderTest } from '../../test/embedded-registry.ts';
import { FollowedChanges } from '../../test/followed-changes.ts';
import { observed } from '../../test/observed-store.ts';
import { definitionOf, endpointsOf } from '../../test/sample-definition.ts';
import { createRegistry } from '../create-registry.ts';
import type { ServiceChange } from '../registry.ts';
import { RegistryError } from '../registry-error.ts';
import { mostJournalKeys } from './head.ts';

const options = { by: 'tests', signal: new AbortController().signal };
// Long enough that a journal entry is seen first even on a machine that is busy, short enough for a test.
const journalGraceMs = 150;

function changeOf(service: string, port = 80): ServiceChange {
  return { owner: 'swarm', service, definition: { document: definitionOf('swarm', service, port) } };
}

function removalOf(service: string): ServiceChange {
  return { owner: 'swarm', service, definition: { document: null }, endpoints: null };
}

describe('following', () => {
  let under: RegistryUnderTest;
  let followed: FollowedChanges;
  /** While it is set, every call to the store rejects with it: the store away, which a file never is by itself. */
  let fault: RegistryError | undefined;
  /** Counts the calls of the follower. */
  let calls: Map<string, number>;
  /** While it is pending, no wait of the gated kind begins. */
  let gate: Promise<void> | undefined;
  let gated: 'waitForNames' | 'waitForKey' | 'keys';

  beforeEach(async () => {
    fault = undefined;
    calls = new Map();
    gate = undefined;
    gated = 'waitForNames';
    under = await openRegistryUnderTest((store) =>
      observed(store, async (method) => {
        calls.set(method, (calls.get(method) ?? 0) + 1);
        if (method === gated) await gate;
        return fault;
      }),
    );
  });

  afterEach(async () => {
    await followed.stop();
    await under.remove();
  });

  /** A follower that has its first snapshot of these services. */
  async function following(...services: readonly string[]): Promise<void> {
    await under.registry.publish(
      services.map((service) => changeOf(service)),
      options,
    );
    followed = new FollowedChanges(under.registry, { journalGraceMs });
    expect(await followed.nextOf('snapshot')).to.deep.include({ cause: 'start' });
  }

  it('begins with a snapshot of everything', async () => {
    await under.registry.publish([{ ...changeOf('web'), endpoints: endpointsOf('swarm', 'web') }], options);
    followed = new FollowedChanges(under.registry);
    const { snapshot, cause } = await followed.nextOf('snapshot');
    expect(cause).to.equal('start');
    expect(snapshot.services.get('swarm/web')).to.deep.include({ ok: true });
    expect(snapshot.endpoints.has('swarm/web')).to.equal(true);
    expect(Object.isFrozen(snapshot)).to.equal(true);
  });

  it('reports that there is no head, and goes on when there is one', async () => {
    followed = new FollowedChanges(under.registry);
    await followed.nextOf('head-missing');
    await under.registry.publish([changeOf('web')], options);
    const { snapshot } = await followed.nextOf('snapshot');
    expect(snapshot.services.size).to.equal(1);
  });

  it('fetches a published change alone, without listing anything', async () => {
    await following('a', 'b');
    calls.clear();
    await under.registry.publish([changeOf('a', 81)], options);
    const delta = await followed.nextOf('delta');
    expect([...delta.services.keys()]).to.deep.equal(['swarm/a']);
    const stored = delta.services.get('swarm/a');
    expect(stored?.ok && stored.document.destinations[0]?.port).to.equal(81);
    expect(delta.sequence).to.equal(2);
    expect(calls.get('list')).to.equal(undefined);
  });

  it('takes endpoints and problems along, and removals as undefined', async () => {
    await following('a');
    const labelProblems = [{ severity: 'error', reason: 'port-missing', message: 'no port' }] as const;
    const endpoints = endpointsOf('swarm', 'a');
    await under.registry.publish([{ owner: 'swarm', service: 'a', endpoints, labelProblems }], options);
    const first = await followed.nextOf('delta');
    expect(first.services.size).to.equal(0);
    expect(first.endpoints.get('swarm/a')).to.deep.include({ document: endpoints });
    expect(first.labelProblems.get('swarm/a')).to.deep.equal(labelProblems);
    await under.registry.publish([{ ...removalOf('a'), labelProblems: null }], options);
    const second = await followed.nextOf('delta');
    for (const removed of [second.services, second.endpoints, second.labelProblems]) {
      expect([...removed]).to.deep.equal([['swarm/a', undefined]]);
    }
  });

  it('ends with the last state after a burst, whatever it saw in between', async () => {
    await following('a');
    for (let port = 1; port <= 50; port += 1) await under.registry.publish([changeOf('a', port)], options);
    let last: unknown;
    for (let sequence = 0; sequence < 51; ) {
      const change = await followed.next();
      if (change.kind !== 'delta' && change.kind !== 'snapshot') throw new Error(change.kind);
      const at = change.kind === 'delta' ? change : change.snapshot;
      sequence = at.sequence;
      last = at.services.get('swarm/a') ?? last;
    }
    expect(last).to.have.nested.property('document.destinations[0].port', 50);
  });

  const handEdits = [
    ['a definition', 'services', JSON.stringify(definitionOf('swarm', 'a', 4711)), 'ok', true],
    ['a definition that is no JSON', 'services', '{', 'ok', false],
    ['an endpoints document', 'endpoints', JSON.stringify(endpointsOf('swarm', 'a')), 'ok', true],
  ] as const;
  for (const [what, kind, value, property, expected] of handEdits) {
    it(`reads everything when ${what} is edited by hand`, async () => {
      await following('a', 'b');
      await under.write({ kind: 'set', key: under.layout.documentKey(kind, 'swarm/a'), value });
      const { snapshot, cause } = await followed.nextOf('snapshot');
      expect(cause).to.equal('hand-edit');
      expect(snapshot[kind].get('swarm/a')).to.have.property(property, expected);
      expect(snapshot.services.get('swarm/b')).to.have.property('ok', true);
    });
  }

  it('finds a missed write behind a published change', async () => {
    await under.registry.publish([changeOf('a'), changeOf('b')], options);
    followed = new FollowedChanges(under.registry, { journalGraceMs, searchAfterMs: 40 });
    await followed.nextOf('snapshot');
    // Keeps the follower from waiting while both are written: the worst moment, which is a few milliseconds long.
    let open: () => void = () => undefined;
    gate = new Promise((resolve) => {
      open = resolve;
    });
    await under.registry.publish([changeOf('a', 81)], options);
    await followed.nextOf('delta');
    await under.write({ kind: 'set', key: under.layout.documentKey('services', 'swarm/b'), value: '{}' });
    await under.registry.publish([changeOf('a', 82)], options);
    open();
    await followed.nextOf('delta');
    const { snapshot, cause } = await followed.nextOf('snapshot');
    expect(cause).to.equal('hand-edit');
    expect(snapshot.services.get('swarm/b')).to.have.property('ok', false);
  });

  describe('when it suspects a manual edit that was a heartbeat', () => {
    /** Past the observed store: calls and gate are the follower's alone. */
    let publish: (port: number) => Promise<unknown>;

    beforeEach(async () => {
      const writer = createRegistry({ store: under.store, instance: under.registry.instance });
      publish = (port) => writer.publish([changeOf('a', port)], options);
      await publish(80);
      followed = new FollowedChanges(under.registry, { journalGraceMs, searchAfterMs: 1 });
      await followed.nextOf('snapshot');
      // As above: both are written while the follower does not wait.
      const reached = Promise.withResolvers<void>();
      gate = reached.promise;
      await publish(81);
      await followed.nextOf('delta');
      await under.write({ kind: 'set', key: under.layout.leaderHeartbeat('swarm'), value: '1' });
      calls.clear();
      await publish(82);
      gate = undefined;
      reached.resolve();
    });

    it('reports nothing', async () => {
      await followed.nextOf('delta');
      await until('the keys were listed', () => calls.get('keys') === 3);
      await publish(83);
      await followed.nextOf('delta');
      expect(followed.waiting).to.deep.equal([]);
      // One read of everything would delay followers of a large registry.
      expect(calls.get('list')).to.equal(undefined);
    });

    it('reports changes while it searches', async () => {
      const reached = Promise.withResolvers<void>();
      gated = 'keys';
      gate = reached.promise;
      await followed.nextOf('delta');
      await until('the keys were listed', () => calls.get('keys') === 1);
      await publish(83);
      await followed.nextOf('delta');
      reached.resolve();
    });
  });

  it('distinguishes a manual removal from one in the journal', async () => {
    await following('a', 'b', 'c');
    await under.registry.publish([removalOf('a')], options);
    await followed.nextOf('delta');
    await under.write({ kind: 'delete', key: under.layout.documentKey('services', 'swarm/b') });
    const { snapshot, journalled, cause } = await followed.nextOf('snapshot');
    expect(cause).to.equal('hand-edit');
    expect([...snapshot.services.keys()]).to.deep.equal(['swarm/c']);
    expect([...journalled]).to.deep.equal(['swarm/a']);
  });

  it('gives documents that did not change back as the same objects', async () => {
    await following('a', 'b');
    await under.write({ kind: 'delete', key: under.layout.documentKey('services', 'swarm/a') });
    const first = await followed.nextOf('snapshot');
    await under.write({ kind: 'set', key: under.layout.documentKey('services', 'swarm/c'), value: '{}' });
    const second = await followed.nextOf('snapshot');
    expect(second.snapshot.services.get('swarm/b')).to.equal(first.snapshot.services.get('swarm/b'));
  });

  it('reads nothing again for writes that are not documents', async () => {
    await following('a');
    calls.clear();
    await under.write(
      { kind: 'set', key: under.layout.replica('proxy-1'), value: '{}' },
      { kind: 'set', key: under.layout.leaderHeartbeat('swarm'), value: '1' },
    );
    await under.registry.publish([changeOf('a', 81)], options);
    await followed.nextOf('delta');
    expect(followed.waiting).to.deep.equal([]);
    expect(calls.get('list')).to.equal(undefined);
  });

  it('takes nothing that the journal explains for a manual edit, whichever of the two reads ends first', async () => {
    await under.registry.publish([changeOf('a')], options);
    followed = new FollowedChanges(under.registry, { journalGraceMs: 1 });
    await followed.nextOf('snapshot');
    for (let port = 1; port <= 20; port += 1) {
      await under.registry.publish([changeOf('a', port)], options);
      await followed.nextOf('delta');
      // Time itself is tested: lets the grace period pass, were it still running.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(followed.waiting).to.deep.equal([]);
  });

  it('waits for the journal when the names ring long before it', async () => {
    await following('a');
    gated = 'waitForKey';
    let open: () => void = () => undefined;
    gate = new Promise((resolve) => {
      open = resolve;
    });
    await under.registry.publish([changeOf('a', 81)], options);
    await followed.nextOf('delta');
    await under.registry.publish([changeOf('a', 82)], options);
    // The names have rung, the head has not; then it does, within the time of grace.
    await new Promise((resolve) => setImmediate(resolve));
    open();
    await followed.nextOf('delta');
    // Time itself is tested: the grace period ends, and must have no effect.
    await new Promise((resolve) => setTimeout(resolve, 1.5 * journalGraceMs));
    await under.registry.publish([changeOf('a', 83)], options);
    await followed.nextOf('delta');
    expect(followed.waiting).to.deep.equal([]);
  });

  it('reads everything when the journal does not reach back to what it knows', async () => {
    await following('a');
    // This reader takes its time: while it does, the follower stands still.
    const slow = under.registry.follow(options);
    expect((await slow.next()).value).to.have.property('cause', 'start');
    const others = Array.from({ length: mostJournalKeys + 60 }, (_, n) => changeOf(`s${n}`));
    await under.registry.publish(others, options);
    const { value: change } = await slow.next();
    expect(change).to.have.property('cause', 'journal-gap');
    expect(change).to.have.nested.property('snapshot.services.size', others.length + 1);
    await slow.return();
  });

  it('reports once that the registry is unreachable, and then a snapshot', async () => {
    await following('a');
    fault = RegistryError.of('registry-unreachable', 'away');
    await under.store.transact([{ kind: 'set', key: under.layout.head, value: 'wake up' }]);
    expect((await followed.nextOf('unreachable')).error).to.have.property('code', 'registry-unreachable');
    // It goes on trying, and says nothing more.
    calls.clear();
    await until('the head was read twice', () => (calls.get('get') ?? 0) >= 2);
    await under.write({ kind: 'delete', key: under.layout.head });
    await under.store.transact([{ kind: 'set', key: under.layout.replica('x'), value: '' }]);
    fault = undefined;
    await followed.nextOf('head-missing');
    await under.registry.publish([changeOf('a', 82)], options);
    expect(await followed.nextOf('snapshot')).to.deep.include({ cause: 'other-registry' });
  });

  it('reports that the head is gone, and that another registry took its place', async () => {
    await following('a', 'b');
    await under.write({ kind: 'delete', key: under.layout.head });
    await followed.nextOf('head-missing');
    await under.registry.publish([changeOf('c')], options);
    const { snapshot, cause } = await followed.nextOf('snapshot');
    expect(cause).to.equal('other-registry');
    expect(snapshot.services.size).to.equal(3);
  });

  it('detects an older state of the same registry', async () => {
    await following('a');
    const before = await under.store.get(under.layout.head);
    await under.registry.publish([changeOf('a', 81)], options);
    await followed.nextOf('delta');
    await under.write({ kind: 'set', key: under.layout.head, value: before?.value ?? '' });
    expect(await followed.nextOf('snapshot')).to.deep.include({ cause: 'index-backwards' });
  });

  it('names keys that Swarmgate does not own and changes none of them', async () => {
    await under.write(
      { kind: 'set', key: 'edge/notes', value: 'mine' },
      { kind: 'set', key: 'edge/services/loose', value: 'mine' },
    );
    await following('a');
    const read = await under.registry.read(options.signal);
    expect(read.kind === 'snapshot' && read.snapshot.foreignKeys).to.deep.equal(['edge/notes', 'edge/services/loose']);
    expect((await under.store.get('edge/notes'))?.value).to.equal('mine');
  });

  it('reads everything on request', async () => {
    await under.registry.publish([changeOf('a')], options);
    let requestRead: () => void = () => undefined;
    async function* requests() {
      for (;;) {
        const requested = Promise.withResolvers<void>();
        requestRead = requested.resolve;
        yield await requested.promise;
      }
    }
    followed = new FollowedChanges(under.registry, { fullReadRequests: requests() });
    await followed.nextOf('snapshot');
    requestRead();
    expect(await followed.nextOf('snapshot')).to.deep.include({ cause: 'requested' });
  });

  it('ends without a trace when its reader leaves', async () => {
    await following('a');
    const before = under.registry.follow(options);
    expect((await before.next()).value).to.have.property('kind', 'snapshot');
    await before.return();
    expect((await before.next()).done).to.equal(true);
  });
});
