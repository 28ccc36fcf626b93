import { expect } from 'chai';
import { openRegistryUnderTest, type RegistryUnderTest } from '../../test/embedded-registry.ts';
import { observed } from '../../test/observed-store.ts';
import { definitionOf } from '../../test/sample-definition.ts';
import { rejection } from '../../test/store-contract.ts';
import type { ServiceChange } from '../registry.ts';

const signal = new AbortController().signal;
const options = { by: 'tests', signal };

function changeOf(service: string, port = 80, index?: number): ServiceChange {
  const document = definitionOf('manual', service, port);
  return { owner: 'manual', service, definition: index === undefined ? { document } : { document, index } };
}

describe('concurrent publications', () => {
  let under: RegistryUnderTest;
  let transactions: number;
  /** While it is pending, transactions wait. */
  let gate: Promise<void> | undefined;

  beforeEach(async () => {
    gate = undefined;
    under = await openRegistryUnderTest((store) =>
      observed(store, async (method) => {
        if (method !== 'transact') return undefined;
        transactions += 1;
        await gate;
        return undefined;
      }),
    );
    await under.registry.publish([changeOf('first')], options);
    transactions = 0;
  });

  afterEach(() => under.remove());

  /** Publishes while a transaction is under way, so that all of it waits for its end. */
  async function whileWriting<T>(publish: () => T): Promise<T> {
    const open = Promise.withResolvers<void>();
    gate = open.promise;
    const first = under.registry.publish([changeOf('first', 81)], options);
    while (transactions === 0) await new Promise((resolve) => setImmediate(resolve));
    const waiting = publish();
    gate = undefined;
    open.resolve();
    await first;
    return waiting;
  }

  async function portOf(service: string): Promise<number | undefined> {
    const read = await under.registry.read(signal);
    const found = read.kind === 'snapshot' ? read.snapshot.services.get(`manual/${service}`) : undefined;
    return found?.ok ? found.document.destinations[0]?.port : undefined;
  }

  it('share a transaction while another is under way', async () => {
    const reports = await Promise.all(
      await whileWriting(() =>
        Array.from({ length: 16 }, (_, n) => under.registry.publish([changeOf(`s${n}`)], options)),
      ),
    );
    expect(transactions).to.equal(2);
    expect(new Set(reports.map(({ sequence }) => sequence))).to.deep.equal(new Set([3]));
    expect(await portOf('s15')).to.equal(80);
  });

  it('are spread over several where they do not fit into one', async () => {
    await Promise.all(Array.from({ length: 100 }, (_, n) => under.registry.publish([changeOf(`s${n}`)], options)));
    expect(transactions).to.be.within(2, 5);
    const read = await under.registry.read(signal);
    expect(read.kind === 'snapshot' && read.snapshot.services.size).to.equal(101);
  });

  it('fail by themselves: a conflict and a document that does not fit cost no other one', async () => {
    const large = { ...definitionOf('manual', 'large'), aclName: 'x'.repeat(400_000) };
    const [good, stale, tooLarge, other] = await whileWriting(() => [
      under.registry.publish([changeOf('good')], options),
      rejection(under.registry.publish([changeOf('beside'), changeOf('first', 5, 1)], options)),
      rejection(
        under.registry.publish([{ owner: 'manual', service: 'large', definition: { document: large } }], options),
      ),
      under.registry.publish([changeOf('other')], options),
    ]);
    expect(await good).to.include({ sequence: 3 });
    expect(await stale).to.have.property('code', 'registry-conflict');
    expect(await tooLarge).to.have.property('code', 'registry-refused');
    expect(await other).to.include({ sequence: 3 });
    expect([await portOf('good'), await portOf('other'), await portOf('beside')]).to.deep.equal([80, 80, undefined]);
  });

  it('of one service keep their order', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        under.registry.publish([changeOf('web', n + 1), changeOf(`s${n}`)], options),
      ),
    );
    expect(await portOf('web')).to.equal(20);
    const history = await under.registry.history('manual/web', signal);
    expect(history.map(({ definition }) => definition.destinations[0]?.port)).to.deep.equal(
      Array.from({ length: 10 }, (_, n) => 19 - n),
    );
  });

  it('under a lost lock fail alone', async () => {
    const fence = { key: under.layout.leader('swarm'), session: 'gone' };
    const [fenced, free] = await whileWriting(() => [
      rejection(under.registry.publish([changeOf('fenced')], { ...options, fence })),
      under.registry.publish([changeOf('free')], options),
    ]);
    expect(await fenced).to.have.property('code', 'leadership-lost');
    await free;
    expect([await portOf('fenced'), await portOf('free')]).to.deep.equal([undefined, 80]);
  });

  it('go on without a caller who left', async () => {
    const leaving = new AbortController();
    const [left, stays] = await whileWriting(() => {
      const pending = [
        rejection(under.registry.publish([changeOf('left')], { ...options, signal: leaving.signal })),
        under.registry.publish([changeOf('stays')], options),
      ] as const;
      leaving.abort(new Error('the client left'));
      return pending;
    });
    expect(await left).to.have.property('message', 'the client left');
    await stays;
    expect(await portOf('stays')).to.equal(80);
  });

  it('mark journal entries whose writer waits for followers', async () => {
    const following = new AbortController();
    const changes = under.registry.follow({ signal: following.signal });
    await changes.next();
    expect(under.registry.awaitedPosition()).to.equal(undefined);
    const { registryId, sequence } = await under.registry.publish([changeOf('web')], { ...options, awaited: true });
    await changes.next();
    expect(under.registry.awaitedPosition()).to.deep.equal({ registryId, sequence });
    await under.registry.publish([changeOf('web', 81)], options);
    await changes.next();
    expect(under.registry.awaitedPosition()).to.deep.equal({ registryId, sequence });
    following.abort();
    await changes.return();
  });
});
