import { keyLayout, type Operation } from '@swarmgate/registry';
import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { sessionHash, sessionMs } from './session-token.ts';
import { createSessions, Sessions } from './sessions.ts';

const layout = keyLayout('one');

/** A fake: it counts readings, and is away when the test says so. */
class MemoryStore {
  readonly values = new Map<string, string>();
  isAway = false;
  reads = 0;

  async list(prefix: string) {
    this.reads += 1;
    if (this.isAway) throw new Error('the registry is away');
    const data = [...this.values].filter(([key]) => key.startsWith(prefix));
    return { index: 1, data: data.map(([key, value]) => ({ key, value, index: 1 })) };
  }

  async transact(operations: readonly Operation[]) {
    if (this.isAway) throw new Error('the registry is away');
    for (const operation of operations)
      if (operation.kind === 'set') this.values.set(operation.key, operation.value);
      else this.values.delete(operation.key);
    return { ok: true as const, written: new Map<string, number>() };
  }
}

describe('sessions of several replicas', () => {
  let nowMs: number;
  let store: MemoryStore;
  const replica = () => new Sessions({ adminToken: 's3cret', store, layout, logger: silentLogger, nowMs: () => nowMs });
  beforeEach(() => {
    nowMs = Date.parse('2026-11-28T10:00:00Z');
    store = new MemoryStore();
  });

  it('are taken by each, and by none once one of them has ended it', async () => {
    const [one, two] = [replica(), replica()];
    const { value, endsAtMs } = one.begin();
    expect([await one.endOf(value), await two.endOf(value)]).to.deep.equal([endsAtMs, endsAtMs]);
    await one.end(value);
    expect(await one.endOf(value)).to.equal(undefined);
    nowMs += 2_000;
    expect(await two.endOf(value)).to.equal(undefined);
    expect(await replica().endOf(value)).to.equal(undefined);
    expect([...store.values.keys()]).to.deep.equal([`one/sessions/revoked/${sessionHash(value)}`]);
  });

  it('stay ended where the registry is away, and are taken otherwise', async () => {
    const one = replica();
    const [ended, other] = [one.begin(), one.begin()];
    await one.end(ended.value);
    store.isAway = true;
    nowMs += 2_000;
    expect(await one.endOf(ended.value)).to.equal(undefined);
    expect(await one.endOf(other.value)).to.equal(other.endsAtMs);
    expect(await one.end(other.value).catch((error: Error) => error.message)).to.equal('the registry is away');
    expect(await one.endOf(other.value)).to.equal(undefined);
  });

  it('are forgotten in the registry when they would have ended anyway', async () => {
    const one = replica();
    await one.end(one.begin().value);
    nowMs += sessionMs;
    const last = one.begin().value;
    await one.end(last);
    expect([...store.values.keys()]).to.deep.equal([`one/sessions/revoked/${sessionHash(last)}`]);
  });

  it('are ended by an entry that cannot be read', async () => {
    const one = replica();
    const { value } = one.begin();
    store.values.set(`one/sessions/revoked/${sessionHash(value)}`, 'not json');
    expect(await one.endOf(value)).to.equal(undefined);
  });

  it('cost the registry one reading in 2 s, however many calls have one', async () => {
    const one = replica();
    const { value } = one.begin();
    await Promise.all(Array.from({ length: 50 }, () => one.endOf(value)));
    expect(store.reads).to.equal(1);
  });

  it('end nothing for a value that was never a session', async () => {
    await replica().end('x.y.z');
    expect(store.values.size).to.equal(0);
  });
});

describe('sessions without a token to log in with', () => {
  for (const adminToken of [undefined, 'none'])
    it(`are none: ADMIN_TOKEN is ${adminToken}`, () => {
      expect(
        createSessions({ adminToken }, () => ({ store: new MemoryStore(), instance: 'one' }), silentLogger),
      ).to.equal(undefined);
    });
});
