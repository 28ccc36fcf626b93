import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KeyValueStore, openEmbeddedStore, type SecretsKey, secretsKeyOf } from '@swarmgate/registry';
import { silentLogger } from '@swarmgate/runtime';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { acmeKeys } from '../storage/acme-keys.ts';
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
    const options: OrdererOptions = {
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
    };
    const leading = new LeadingOrderer(options, { key: keys.lock, session }, ending.signal).run();
    await until('all are gone', async () => (await store.list(`${keys.prefix}orders/`)).data.length === 0);
    expect((await store.list(`${keys.prefix}budgets/`)).data).to.have.length(1);
    ending.abort();
    await leading.catch(() => undefined);
  });
});
