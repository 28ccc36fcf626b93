import { expect } from 'chai';
import type { KeyValueStore, Operation } from '../src/store/key-value-store.ts';

export interface StoreUnderTest {
  readonly store: KeyValueStore;
  /** Each test has a key prefix of its own, ending in `/`. */
  readonly prefix: string;
}

const soon = () => AbortSignal.timeout(20_000);

/** The contract of every store. `open` is called for each test; its caller closes the store. */
export function describeStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the store's contract`, () => {
    let store: KeyValueStore;
    let prefix: string;
    const key = (rest: string) => prefix + rest;
    const set = (rest: string, value: string): Operation => ({ kind: 'set', key: key(rest), value });
    const write = async (...operations: readonly Operation[]) => {
      const result = await store.transact(operations);
      if (!result.ok) throw new Error(result.reason);
      return result.written;
    };

    beforeEach(async () => {
      ({ store, prefix } = await open());
    });

    describe('reading', () => {
      it('gives a value back with the index of its last write', async () => {
        const written = await write(set('a', 'one'));
        expect(await store.get(key('a'))).to.deep.equal({ key: key('a'), value: 'one', index: written.get(key('a')) });
      });

      it('responds to a missing key with undefined', async () => {
        expect(await store.get(key('nothing'))).to.equal(undefined);
      });

      it('keeps an empty value and text beyond ASCII as they are', async () => {
        await write(set('empty', ''), set('text', 'größer ⇒ 語'));
        expect((await store.get(key('empty')))?.value).to.equal('');
        expect((await store.get(key('text')))?.value).to.equal('größer ⇒ 語');
        const many = await store.getMany([key('empty'), key('text')]);
        expect([...many.values()].map((each) => each.value)).to.deep.equal(['', 'größer ⇒ 語']);
      });

      it('reads many keys at once and leaves missing ones out', async () => {
        await write(set('a', '1'), set('c', '3'));
        const many = await store.getMany([key('a'), key('b'), key('c'), key('d')]);
        expect([...many.keys()].toSorted()).to.deep.equal([key('a'), key('c')]);
        expect(many.get(key('c'))).to.deep.include({ key: key('c'), value: '3' });
      });

      it('reads many keys when none of them is there', async () => {
        expect((await store.getMany([key('a'), key('b')])).size).to.equal(0);
      });

      it('lists everything under a prefix and nothing else', async () => {
        await write(set('x/a', '1'), set('x/b/c', '2'), set('xy', '3'));
        const listed = await store.list(key('x/'));
        expect(listed.data.map((each) => [each.key, each.value])).to.deep.equal([
          [key('x/a'), '1'],
          [key('x/b/c'), '2'],
        ]);
        expect(listed.index).to.be.greaterThan(0);
      });

      it('lists with their values all that its caller does not know', async () => {
        await write(set('x/a', '1'), set('x/b', '2'));
        const [first] = (await store.list(key('x/'))).data;
        await write(set('x/a', '3'));
        const known = new Map([
          [key('x/a'), first?.index],
          [key('x/c'), 1],
        ]);
        const listed = await store.list(key('x/'), undefined, (name, index) => known.get(name) === index);
        expect(listed.data.map((each) => [each.key, each.value])).to.deep.equal([
          [key('x/a'), '3'],
          [key('x/b'), '2'],
        ]);
        const again = await store.list(key('x/'), undefined, () => true);
        expect(again.data.map((each) => [each.key, each.index])).to.deep.equal(
          listed.data.map((each) => [each.key, each.index]),
        );
      });

      it('names keys, all or one level deep', async () => {
        await write(set('s/swarm/a', '1'), set('s/swarm/b', '2'), set('s/manual/c', '3'), set('s/top', '4'));
        expect((await store.keys(key('s/'), undefined)).data).to.have.lengthOf(4);
        expect((await store.keys(key('s/'), '/')).data).to.deep.equal([
          key('s/manual/'),
          key('s/swarm/'),
          key('s/top'),
        ]);
      });

      it('lists nothing as nothing', async () => {
        expect((await store.list(key('none/'))).data).to.deep.equal([]);
        expect((await store.keys(key('none/'), '/')).data).to.deep.equal([]);
      });
    });

    describe('transactions', () => {
      it('apply whole: one index for all keys', async () => {
        const written = await write(set('a', '1'), set('b', '2'));
        expect(written.get(key('a'))).to.equal(written.get(key('b')));
      });

      it('or not at all, naming the operations that did not hold', async () => {
        await write(set('a', '1'));
        const result = await store.transact([
          set('b', '2'),
          { kind: 'check-absent', key: key('a') },
          { kind: 'compare-and-set', key: key('a'), value: '3', index: 1 },
        ]);
        expect(result).to.deep.include({ ok: false, failed: [1, 2] });
        expect(await store.get(key('b'))).to.equal(undefined);
        expect((await store.get(key('a')))?.value).to.equal('1');
      });

      it('do not write what is equal: the index stays', async () => {
        const first = await write(set('a', '1'));
        const second = await write(set('a', '1'), set('b', '2'));
        expect(second.get(key('a'))).to.equal(first.get(key('a')));
        expect((await store.get(key('a')))?.index).to.equal(first.get(key('a')));
      });

      const at = async (rest: string) => (await store.get(key(rest)))?.index ?? 0;
      const holds: readonly (readonly [string, (index: number) => Operation, boolean])[] = [
        ['compare-and-set at the present index', (index) => ({ ...cas('a'), index }), true],
        ['compare-and-set at another index', (index) => ({ ...cas('a'), index: index + 1 }), false],
        ['compare-and-set of a new key at 0', () => ({ ...cas('new'), index: 0 }), true],
        ['compare-and-set of an existing key at 0', () => ({ ...cas('a'), index: 0 }), false],
        [
          'compare-and-delete at the present index',
          (index) => ({ kind: 'compare-and-delete', key: key('a'), index }),
          true,
        ],
        [
          'compare-and-delete at another index',
          (index) => ({ kind: 'compare-and-delete', key: key('a'), index: index + 1 }),
          false,
        ],
        ['delete of a key', () => ({ kind: 'delete', key: key('a') }), true],
        ['delete of a missing key', () => ({ kind: 'delete', key: key('new') }), true],
        ['check-index at the present index', (index) => ({ kind: 'check-index', key: key('a'), index }), true],
        ['check-index at another index', (index) => ({ kind: 'check-index', key: key('a'), index: index + 1 }), false],
        ['check-absent of a missing key', () => ({ kind: 'check-absent', key: key('new') }), true],
        ['check-absent of an existing key', () => ({ kind: 'check-absent', key: key('a') }), false],
      ];
      const cas = (rest: string) => ({ kind: 'compare-and-set', key: key(rest), value: 'other' }) as const;
      for (const [what, operation, expected] of holds) {
        it(`${what} ${expected ? 'holds' : 'does not hold'}`, async () => {
          await write(set('a', '1'));
          const requested = operation(await at('a'));
          expect((await store.transact([requested])).ok).to.equal(expected);
          const deletes = requested.kind === 'delete' || requested.kind === 'compare-and-delete';
          if (expected && deletes) expect(await store.get(requested.key)).to.equal(undefined);
          else if (expected && 'value' in requested)
            expect((await store.get(requested.key))?.value).to.equal(requested.value);
          else expect((await store.get(key('a')))?.value).to.equal('1');
        });
      }

      const refused: readonly (readonly [string, () => readonly Operation[]])[] = [
        ['65 operations', () => Array.from({ length: 65 }, (_, n) => set(`n${n}`, 'v'))],
        ['none', () => []],
        ['more than 512 KiB', () => [set('a', 'x'.repeat(200_000)), set('b', 'y'.repeat(200_000))]],
        ['a key with a space', () => [set('a b', '1')]],
      ];
      for (const [what, operations] of refused) {
        it(`are refused with ${what}`, async () => {
          const error = await rejection(store.transact(operations()));
          expect(error).to.have.property('code', 'registry-refused');
        });
      }

      it('take 64 operations of together 300 KB', async () => {
        const operations = Array.from({ length: 64 }, (_, n) => set(`n${n}`, 'v'.repeat(4_800)));
        expect((await write(...operations)).size).to.equal(64);
      });
    });

    describe('waiting', () => {
      it('responds at once from index 0', async () => {
        await write(set('a', '1'));
        expect((await store.waitForKey(key('a'), 0, soon())).data?.value).to.equal('1');
        expect((await store.waitForKey(key('none'), 0, soon())).data).to.equal(undefined);
        expect((await store.waitForNames(prefix, 0, soon())).data).to.deep.equal([key('a')]);
      });

      it('holds until the key is written', async () => {
        await write(set('a', '1'));
        const before = await store.waitForKey(key('a'), 0, soon());
        const waiting = store.waitForKey(key('a'), before.index, soon());
        const written = await write(set('beside', 'x')).then(() => write(set('a', '2')));
        const after = await waiting;
        expect(after.data?.value).to.equal('2');
        expect(after.index).to.equal(written.get(key('a')));
        expect(after.index).to.be.greaterThan(before.index);
      });

      it('wakes when the key is deleted', async () => {
        await write(set('a', '1'));
        const before = await store.waitForKey(key('a'), 0, soon());
        const waiting = store.waitForKey(key('a'), before.index, soon());
        await write({ kind: 'delete', key: key('a') });
        expect((await waiting).data).to.equal(undefined);
      });

      it('wakes for any key under a prefix, by the index of the transaction, moving only one-level names', async () => {
        await write(set('s/swarm/a', '1'));
        const before = await store.waitForNames(key('s/'), 0, soon());
        const waiting = store.waitForNames(key('s/'), before.index, soon());
        const written = await write(set('beside', 'x'), set('s/swarm/a', '2'));
        const after = await waiting;
        expect(after.data).to.deep.equal([key('s/swarm/')]);
        expect(after.index).to.equal(written.get(key('beside')));
      });

      it('wakes for a deletion under a prefix', async () => {
        await write(set('s/swarm/a', '1'), set('s/swarm/b', '1'));
        const before = await store.waitForNames(key('s/'), 0, soon());
        const waiting = store.waitForNames(key('s/'), before.index, soon());
        await write({ kind: 'delete', key: key('s/swarm/b') });
        expect((await waiting).index).to.be.greaterThan(before.index);
      });

      it('begins where a list ended: nothing in between is lost, nothing before comes again', async () => {
        await write(set('s/swarm/a', '1'));
        const listed = await store.list(key('s/'));
        await write(set('beside', 'x'));
        const waiting = store.waitForNames(key('s/'), listed.index, soon());
        const first = await Promise.race([waiting.then(() => 'woken'), write(set('beside', 'y')).then(() => 'held')]);
        expect(first).to.equal('held');
        await write(set('s/swarm/a', '2'));
        expect((await waiting).index).to.be.greaterThan(listed.index);
      });

      it('ends with the signal’s reason', async () => {
        await write(set('s/a', '1'));
        const before = await store.waitForNames(key('s/'), 0, soon());
        const stopping = new AbortController();
        const waiting = rejection(store.waitForNames(key('s/'), before.index, stopping.signal));
        await write(set('beside', 'x'));
        stopping.abort(new Error('enough'));
        expect(await waiting).to.have.property('message', 'enough');
      });
    });

    describe('sessions', () => {
      const session = (behavior: 'release' | 'delete') =>
        store.createSession({ name: 'contract', ttlMs: 10_000, behavior });
      const lock = (rest: string, id: string): Operation => ({ kind: 'lock', key: key(rest), value: id, session: id });

      it('hold a lock exclusively', async () => {
        const [first, second] = [await session('release'), await session('release')];
        await write(lock('l', first));
        expect((await store.get(key('l')))?.session).to.equal(first);
        expect((await store.transact([lock('l', second)])).ok).to.equal(false);
        expect((await store.transact([{ ...lock('l', first), value: 'again' } as Operation])).ok).to.equal(true);
      });

      it('fence: check-session holds for the holder only', async () => {
        const [holder, other] = [await session('release'), await session('release')];
        await write(lock('l', holder));
        const guarded = (id: string) =>
          store.transact([{ kind: 'check-session', key: key('l'), session: id }, set('a', id)]);
        expect(await guarded(other)).to.deep.include({ ok: false, failed: [0] });
        expect((await guarded(holder)).ok).to.equal(true);
        await store.destroySession(holder);
        expect((await guarded(holder)).ok).to.equal(false);
      });

      it('release their keys at their end, at once free for others', async () => {
        const [first, second] = [await session('release'), await session('release')];
        await write(lock('l', first));
        await store.destroySession(first);
        expect(await store.get(key('l'))).to.not.have.property('session');
        expect((await store.transact([lock('l', second)])).ok).to.equal(true);
      });

      it('or delete them, and wake who waits', async () => {
        const id = await session('delete');
        await write(lock('p/l', id));
        const before = await store.waitForNames(key('p/'), 0, soon());
        const waiting = store.waitForNames(key('p/'), before.index, soon());
        await store.destroySession(id);
        expect((await waiting).data).to.deep.equal([]);
        expect(await store.get(key('p/l'))).to.equal(undefined);
      });

      it('give a lock back', async () => {
        const [first, second] = [await session('release'), await session('release')];
        await write(lock('l', first));
        expect((await store.transact([{ ...lock('l', second), kind: 'unlock' } as Operation])).ok).to.equal(false);
        await write({ ...lock('l', first), kind: 'unlock' } as Operation);
        expect(await store.get(key('l'))).to.not.have.property('session');
      });

      it('report whether they are valid', async () => {
        const id = await session('release');
        expect(await store.renewSession(id)).to.equal(true);
        await store.destroySession(id);
        expect(await store.renewSession(id)).to.equal(false);
      });

      it('that do not exist lock nothing', async () => {
        const id = await session('release');
        await store.destroySession(id);
        expect((await store.transact([lock('l', id)])).ok).to.equal(false);
      });

      it('are refused below ten seconds', async () => {
        const error = await rejection(store.createSession({ name: 'short', ttlMs: 9_000, behavior: 'release' }));
        expect(error).to.have.property('code', 'registry-refused');
      });
    });

    it('rejects calls with an aborted signal', async () => {
      const error = await rejection(store.get(key('a'), AbortSignal.abort(new Error('too late'))));
      expect(error).to.have.property('message', 'too late');
    });

    it('rejects waits when it is closed, and everything after', async () => {
      await write(set('a', '1'));
      const before = await store.waitForKey(key('a'), 0, soon());
      const waiting = rejection(store.waitForKey(key('a'), before.index, soon()));
      await store.close();
      expect(await waiting).to.have.property('code', 'registry-unreachable');
      expect(await rejection(store.get(key('a')))).to.have.property('code', 'registry-unreachable');
    });
  });
}

/** What a promise rejects with. @throws when it does not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('expected a rejection');
}
