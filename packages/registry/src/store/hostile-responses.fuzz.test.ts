import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { hostileRuns, hostileTexts, mutationsOf, textOf } from '../../test/hostile-documents.ts';
import { RegistryError } from '../registry-error.ts';
import { createConsulStore } from './consul-store.ts';
import type { KeyValueStore, StoredValue } from './key-value-store.ts';

const item = (name: string) => ({
  LockIndex: 0,
  Key: `edge/services/swarm/${name}`,
  Flags: 0,
  Value: Buffer.from('{"version":1}').toString('base64'),
  CreateIndex: 5,
  ModifyIndex: 7,
  Session: '9f1a',
});
const items = [item('web'), item('shop')];
const transaction = { Results: items.map((KV) => ({ KV })), Errors: null };
const refused = { Results: null, Errors: [{ OpIndex: 0, What: 'index is stale' }] };

function expectValue(value: StoredValue): void {
  expect(value.key).to.be.a('string');
  expect(value.value).to.be.a('string');
  expect(Number.isSafeInteger(value.index) && value.index >= 0, String(value.index)).to.equal(true);
  if ('session' in value) expect(value.session).to.be.a('string');
}

function expectNames(names: readonly string[]): void {
  expect(names).to.be.an('array');
  for (const name of names) expect(name).to.be.a('string');
}

/** Each call of the store, a response to it as Consul sends it, and what may come of it. */
const calls: readonly (readonly [
  name: string,
  bodies: readonly object[],
  call: (store: KeyValueStore) => Promise<void>,
])[] = [
  [
    'get',
    [items],
    async (store) => {
      const found = await store.get('edge/head');
      if (found !== undefined) expectValue(found);
    },
  ],
  [
    'getMany',
    [transaction, refused],
    async (store) => {
      for (const [key, value] of await store.getMany(items.map(({ Key }) => Key))) {
        expect(key).to.equal(value.key);
        expectValue(value);
      }
    },
  ],
  [
    'list',
    [items],
    async (store) => {
      const { index, data } = await store.list('edge/services/');
      expect(index).to.be.above(0);
      for (const value of data) expectValue(value);
    },
  ],
  ['keys', [items.map(({ Key }) => Key)], async (store) => expectNames((await store.keys('edge/', undefined)).data)],
  [
    'waitForKey',
    [items],
    async (store) => {
      const { data } = await store.waitForKey('edge/head', 0, AbortSignal.timeout(5_000));
      if (data !== undefined) expectValue(data);
    },
  ],
  [
    'waitForNames',
    [items.map(({ Key }) => Key)],
    async (store) => expectNames((await store.waitForNames('edge/', 0, AbortSignal.timeout(5_000))).data),
  ],
  [
    'transact',
    [transaction, refused],
    async (store) => {
      const result = await store.transact([{ kind: 'set', key: item('web').Key, value: 'x' }]);
      if (result.ok) for (const index of result.written.values()) expect(index).to.be.a('number');
      else {
        expect(result.reason).to.be.a('string');
        for (const at of result.failed) expect(Number.isSafeInteger(at)).to.equal(true);
      }
    },
  ],
  [
    'createSession',
    [{ ID: '9f1a' }],
    async (store) => {
      expect(await store.createSession({ name: 'one', ttlMs: 10_000, behavior: 'release' })).to.be.a('string');
    },
  ],
  [
    'renewSession',
    [[{ ID: '9f1a', TTL: '10s' }]],
    async (store) => {
      expect(await store.renewSession('9f1a')).to.be.a('boolean');
    },
  ],
];

describe('responses of Consul, whatever stands in them', function () {
  this.timeout(120_000);
  let server: Server;
  let store: KeyValueStore;
  let respond = { status: 200, body: '' };

  before(async () => {
    server = createServer((request, response) => {
      request.resume();
      response.writeHead(respond.status, { 'content-type': 'application/json', 'x-consul-index': '9' });
      response.end(respond.body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    store = createConsulStore({ address: `127.0.0.1:${port}`, timeoutMs: 5_000 });
  });
  after(async () => {
    await store.close();
    server.closeAllConnections();
    await once(server.close(), 'close');
  });

  for (const [name, bodies, call] of calls)
    it(`give ${name} values that can be used, or an error of the registry`, async () => {
      let usable = 0;
      const texts = fc.oneof(
        ...bodies.map((body) => ({ weight: 30, arbitrary: mutationsOf(body).map((each) => textOf(each) ?? '') })),
        { weight: 1, arbitrary: fc.constantFrom(...hostileTexts) },
      );
      await fc.assert(
        fc.asyncProperty(texts, fc.constantFrom(200, 200, 200, 409, 500), async (body, status) => {
          respond = { status, body };
          try {
            await call(store);
            usable += 1;
          } catch (error) {
            if (!(error instanceof RegistryError)) throw error;
          }
        }),
        fuzzRuns(hostileRuns.consul, 20_260_102),
      );
      expect(usable).to.be.above(0);
    });
});
