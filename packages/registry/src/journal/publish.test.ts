import { expect } from 'chai';
import { openRegistryUnderTest, type RegistryUnderTest } from '../../test/embedded-registry.ts';
import { definitionOf, endpointsOf } from '../../test/sample-definition.ts';
import { rejection } from '../../test/store-contract.ts';
import { createRegistry } from '../create-registry.ts';
import type { RegistrySnapshot, ServiceChange } from '../registry.ts';
import type { KeyValueStore, Operation } from '../store/key-value-store.ts';
import { rollbackTo } from './history.ts';

const signal = new AbortController().signal;
const options = { by: 'tests', signal };

function changeOf(service: string, port = 80, owner = 'swarm'): ServiceChange {
  return { owner, service, definition: { document: definitionOf(owner, service, port) } };
}

describe('publishing', () => {
  let under: RegistryUnderTest;

  afterEach(() => under.remove());

  async function snapshot(): Promise<RegistrySnapshot> {
    const read = await under.registry.read(signal);
    if (read.kind !== 'snapshot') throw new Error('the head is missing');
    return read.snapshot;
  }

  describe('on a registry of its own', () => {
    beforeEach(async () => {
      under = await openRegistryUnderTest();
    });

    it('finds no head in a new registry, which is not the same as no services', async () => {
      expect(await under.registry.read(signal)).to.deep.equal({ kind: 'head-missing' });
      const report = await under.registry.publish([], options);
      expect(report).to.deep.include({ sequence: 0, transactions: 1 });
      expect((await snapshot()).services.size).to.equal(0);
    });

    it('writes documents that read back as they were, with the index for the next comparison', async () => {
      const endpoints = endpointsOf('swarm', 'web');
      const labelProblems = [{ severity: 'warning', reason: 'label-unknown', message: 'no such label' }] as const;
      const report = await under.registry.publish([{ ...changeOf('web'), endpoints, labelProblems }], options);
      const read = await snapshot();
      expect(read).to.deep.include({ sequence: 1, revision: report.revision });
      expect(read.services.get('swarm/web')).to.deep.include({ ok: true, document: definitionOf('swarm', 'web', 80) });
      expect(read.endpoints.get('swarm/web')).to.deep.include({ ok: true, document: endpoints });
      expect(read.labelProblems.get('swarm/web')).to.deep.equal(labelProblems);
      const index = read.services.get('swarm/web')?.index ?? 0;
      const next = {
        owner: 'swarm',
        service: 'web',
        definition: { document: definitionOf('swarm', 'web', 81), index },
      };
      expect((await under.registry.publish([next], options)).sequence).to.equal(2);
    });

    it('writes maintenance beside the definition, by comparison, and without a history of the definition', async () => {
      const by = { by: 'ann', since: '2026-01-02T03:00:00.000Z' };
      const maintenance = { version: 1, owner: 'swarm', service: 'web', maintenance: by } as const;
      const write = (index: number, document: typeof maintenance | null = maintenance) =>
        under.registry.publish([{ owner: 'swarm', service: 'web', maintenance: { document, index } }], options);
      await under.registry.publish([changeOf('web')], options);
      await write(0);
      const found = (await snapshot()).maintenance?.get('swarm/web');
      expect(found).to.deep.include({ ok: true, document: maintenance });
      expect((await snapshot()).foreignKeys).to.deep.equal([]);
      await under.registry.publish([changeOf('web', 81)], options);
      expect((await snapshot()).maintenance?.get('swarm/web')).to.deep.equal(found);
      expect(await rejection(write(0))).to.have.property('code', 'registry-conflict');
      expect(await rejection(write(0, null))).to.have.property('code', 'registry-conflict');
      await write(found?.index ?? 0, null);
      expect((await snapshot()).maintenance?.size).to.equal(0);
      expect(await under.registry.history('swarm/web', signal)).to.have.length(1);
    });

    it('packs many services into few transactions, each with its journal entry', async () => {
      const changes = Array.from({ length: 200 }, (_, n) => changeOf(`s${n}`));
      const report = await under.registry.publish(changes, options);
      expect(report).to.deep.include({ transactions: 4, sequence: 4 });
      expect((await snapshot()).services.size).to.equal(200);
    });

    it('writes nothing that is so already, and says which', async () => {
      await under.registry.publish([changeOf('a'), changeOf('b')], options);
      const report = await under.registry.publish([changeOf('a'), changeOf('b', 81)], options);
      expect(report).to.deep.include({ transactions: 1, unchanged: ['swarm/a'] });
      const again = await under.registry.publish([changeOf('a'), changeOf('b', 81)], options);
      expect(again).to.deep.include({ transactions: 0, sequence: 2, unchanged: ['swarm/a', 'swarm/b'] });
    });

    for (const [owner, name] of [
      ['swarm', ''],
      ['swarm', 'a/b'],
      ['swarm', 'a..b'],
      ['swarm', '-web'],
      ['', 'web'],
      ['no/owner', 'web'],
      ['a..b', 'web'],
    ] as const)
      it(`refuses the names ${JSON.stringify(`${owner}/${name}`)}, and writes nothing of the publication`, async () => {
        await under.registry.publish([], options);
        const unpublishable = { owner, service: name, definition: { document: null } };
        const error = await rejection(under.registry.publish([changeOf('web'), unpublishable], options));
        expect(error).to.have.property('code', 'registry-refused');
        expect((await snapshot()).services.size).to.equal(0);
      });

    it('refuses a publication that changes one service twice', async () => {
      const error = await rejection(under.registry.publish([changeOf('web'), changeOf('web', 81)], options));
      expect(error).to.have.property('code', 'registry-refused');
    });

    it('refuses a change if another writer was faster, and writes nothing', async () => {
      await under.registry.publish([changeOf('web')], options);
      const stale = {
        owner: 'swarm',
        service: 'web',
        definition: { document: definitionOf('swarm', 'web', 9), index: 1 },
      };
      const error = await rejection(under.registry.publish([changeOf('other'), stale], options));
      expect(error).to.have.property('code', 'registry-conflict');
      expect([...(await snapshot()).services.keys()]).to.deep.equal(['swarm/web']);
    });

    it('refuses to write for a leader that was replaced', async () => {
      const [first, second] = await Promise.all(
        ['first', 'second'].map((name) => under.store.createSession({ name, ttlMs: 10_000, behavior: 'release' })),
      );
      const key = under.layout.leader('swarm');
      await under.write({ kind: 'lock', key, value: '', session: first ?? '' });
      const publish = (session = '') =>
        under.registry.publish([changeOf('web')], { ...options, fence: { key, session } });
      expect(await rejection(publish(second))).to.have.property('code', 'leadership-lost');
      await under.registry.publish([changeOf('before')], { ...options, fence: { key, session: first ?? '' } });
      await under.store.destroySession(first ?? '');
      expect(await rejection(publish(first))).to.have.property('code', 'leadership-lost');
      expect((await snapshot()).services.has('swarm/web')).to.equal(false);
    });

    it('refuses a document that does not fit into a transaction', async () => {
      const document = { ...definitionOf('swarm', 'large'), aclName: 'x'.repeat(400_000) };
      const error = await rejection(
        under.registry.publish([{ owner: 'swarm', service: 'large', definition: { document } }], options),
      );
      expect(error).to.have.property('code', 'registry-refused');
      expect(error).to.have.property('message').that.contains('swarm/large');
    });

    const unusable = [
      ['an owner that is no part of a key', [changeOf('web', 80, 'a/b')]],
      ['a service twice', [changeOf('web'), changeOf('web')]],
    ] as const;
    for (const [what, changes] of unusable) {
      it(`refuses ${what}`, async () => {
        expect(await rejection(under.registry.publish(changes, options))).to.have.property('code', 'registry-refused');
      });
    }

    it('replaces an unreadable head, as another registry, without losing a document', async () => {
      await under.registry.publish([changeOf('web')], options);
      const { registryId } = await snapshot();
      await under.write({ kind: 'set', key: under.layout.head, value: 'edited by hand' });
      expect((await under.registry.read(signal)).kind).to.equal('head-missing');
      await under.registry.publish([changeOf('other')], options);
      const read = await snapshot();
      expect(read.registryId).to.not.equal(registryId);
      expect(read.services.size).to.equal(2);
    });

    it('keeps the last ten definitions, newest first, and goes back to one of them', async () => {
      for (let port = 1; port <= 13; port += 1) await under.registry.publish([changeOf('web', port)], options);
      const history = await under.registry.history('swarm/web', signal);
      const ports = history.map((entry) => entry.definition.destinations[0]?.port);
      expect(ports).to.deep.equal([12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
      expect(history[0]).to.deep.include({ number: 12, replacedBy: 'tests' });
      const former = history[4];
      if (former === undefined) throw new Error('no such entry');
      const index = (await snapshot()).services.get('swarm/web')?.index ?? 0;
      await under.registry.publish([rollbackTo(former, index, new Date(0))], { ...options, by: 'rollback' });
      const stored = (await snapshot()).services.get('swarm/web');
      expect(stored?.ok && stored.document).to.deep.include({ updatedAt: '1970-01-01T00:00:00.000Z' });
      expect(stored?.ok && stored.document.destinations[0]?.port).to.equal(8);
    });

    it('keeps the definition of a removed service', async () => {
      await under.registry.publish([changeOf('web', 80)], options);
      await under.registry.publish([{ owner: 'swarm', service: 'web', definition: { document: null } }], options);
      expect((await snapshot()).services.size).to.equal(0);
      expect(await under.registry.history('swarm/web', signal)).to.have.lengthOf(1);
    });
  });

  describe('beside other writers', () => {
    it('loses nothing when several processes publish at the same time', async () => {
      under = await openRegistryUnderTest();
      const owners = ['one', 'two', 'three'];
      await Promise.all(
        owners.map(async (owner) => {
          const process = createRegistry({ store: under.store, instance: under.registry.instance });
          for (let n = 0; n < 10; n += 1) await process.publish([changeOf(`s${n}`, 80, owner)], options);
        }),
      );
      const read = await snapshot();
      expect(read.services.size).to.equal(30);
      expect(read.sequence).to.equal(30);
    });

    it('plans again when a document changes between its reading and its writing', async () => {
      // Nothing but bad luck makes this happen by itself: the wrapper writes at the worst moment.
      let meddle: (() => Promise<void>) | undefined;
      under = await openRegistryUnderTest((store) =>
        wrapped(store, async (operations) => {
          const now = meddle;
          meddle = undefined;
          await now?.();
          return operations;
        }),
      );
      await under.registry.publish([changeOf('web', 1)], options);
      meddle = () =>
        under.write({
          kind: 'set',
          key: under.layout.documentKey('services', 'swarm/web'),
          value: JSON.stringify(definitionOf('swarm', 'web', 2)),
        });
      await under.registry.publish([changeOf('web', 3), changeOf('zeta', 3)], options);
      const stored = (await snapshot()).services.get('swarm/web');
      expect(stored?.ok && stored.document.destinations[0]?.port).to.equal(3);
      const history = await under.registry.history('swarm/web', signal);
      expect(history.map((entry) => entry.definition.destinations[0]?.port)).to.deep.equal([2]);
    });
  });
});

/** The store, with something happening before each of its transactions. */
function wrapped(
  store: KeyValueStore,
  before: (operations: readonly Operation[]) => Promise<readonly Operation[]>,
): KeyValueStore {
  return new Proxy(store, {
    get(target, property) {
      if (property === 'transact') {
        return async (operations: readonly Operation[], abort?: AbortSignal) =>
          target.transact(await before(operations), abort);
      }
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
