import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KeyValueStore, openEmbeddedStore, type SecretsKey, secretsKeyOf } from '@swarmgate/registry';
import { silentLogger } from '@swarmgate/runtime';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { newHead } from '../storage/acme-head.ts';
import { acmeKeys } from '../storage/acme-keys.ts';
import { leaveRequests } from '../storage/inbox.ts';
import { LeadingOrderer } from './leading-orderer.ts';
import type { OrdererOptions } from './orderer-options.ts';

describe('a new orderer', () => {
  const keys = acmeKeys('edge');
  let directory: string;
  let store: KeyValueStore;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmgate-acme-'));
    store = openEmbeddedStore({ dataDir: directory });
  });
  afterEach(async () => {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  });

  const optionsOf = (): OrdererOptions => ({
    store,
    keys,
    replica: 'one',
    secretsKeys: [secretsKeyOf(Buffer.alloc(32, 7).toString('base64')) as SecretsKey],
    issuers: [],
    userAgent: 'x',
    dns: { for: () => undefined } as unknown as OrdererOptions['dns'],
    resolvers: [],
    required: () => [],
    presence: { waitUntil: async () => ({ waitingFor: [] }) } as unknown as OrdererOptions['presence'],
    events: { orderBegun: () => undefined, orderEnded: () => undefined },
    logger: silentLogger,
    restoreMs: 0,
  });

  for (const [what, more] of [
    ['of a registry that was lost', []],
    ['that an orderer before it left', [['head', JSON.stringify(newHead(new Map()))]]],
  ] as const)
    it(`plans no order before it has taken the requests ${what}`, async () => {
      const session = await store.createSession({ name: 'one', ttlMs: 10_000, behavior: 'release' });
      await store.transact([
        { kind: 'lock', key: keys.lock, value: '', session },
        ...more.map(([key, value]) => ({ kind: 'set' as const, key: keys.prefix + key, value })),
      ]);
      const given = Array.from({ length: 90 }, (_, at) => ({
        kind: 'restore' as const,
        key: `accounts/${at}`,
        value: 'no account: dealt with by its removal',
        by: 'x',
      }));
      await leaveRequests(store, keys, given);
      const order: string[] = [];
      const transact = store.transact.bind(store);
      store.transact = (operations, signal) => {
        if (operations.some(({ kind, key }) => kind === 'delete' && key.startsWith(keys.inbox))) order.push('taken');
        return transact(operations, signal);
      };
      const ending = new AbortController();
      const required = () => {
        order.push('planned');
        return [];
      };
      const options = { ...optionsOf(), required };
      const leading = new LeadingOrderer(options, { key: keys.lock, session }, ending.signal).run();
      await until('it plans', () => order.includes('planned'));
      expect(order.indexOf('planned')).to.be.above(order.lastIndexOf('taken')).and.above(0);
      expect((await store.list(keys.inbox)).data).to.deep.equal([]);
      ending.abort();
      await leading.catch(() => undefined);
    });

  it('removes documents that are no order of their key, and that none of them would end', async () => {
    const session = await store.createSession({ name: 'one', ttlMs: 10_000, behavior: 'release' });
    const order = {
      version: 1,
      id: 'a.example.com',
      names: ['a.example.com'],
      services: ['swarm/web'],
      issuer: 'none',
      rehearsal: false,
      challenge: 'http-01',
      reason: 'new',
      startedAtMs: 0,
      sealedKey: '',
      reported: [],
    };
    const put = (key: string, value: string) => ({ kind: 'set' as const, key: keys.prefix + key, value });
    await store.transact([
      { kind: 'lock', key: keys.lock, value: '', session },
      put('orders/b.example.com', JSON.stringify(order)),
      put('orders/spoilt', '{'),
      put('orders/a.example.com', JSON.stringify(order)),
      put('budgets/x', '{}'),
    ]);
    const ending = new AbortController();
    const leading = new LeadingOrderer(optionsOf(), { key: keys.lock, session }, ending.signal).run();
    await until('all are gone', async () => (await store.list(`${keys.prefix}orders/`)).data.length === 0);
    expect((await store.list(`${keys.prefix}budgets/`)).data).to.have.length(1);
    ending.abort();
    await leading.catch(() => undefined);
  });
});
