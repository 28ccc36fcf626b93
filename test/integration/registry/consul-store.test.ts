import { randomUUID } from 'node:crypto';
import { createConsulStore, type KeyValueStore } from '@swarmgate/registry';
import { expect } from 'chai';
import { describeStoreContract, rejection } from '../../../packages/registry/test/store-contract.ts';
import { type RunningConsul, startConsul } from '../../harness/consul.ts';

describe('consul store', () => {
  let consul: RunningConsul;
  const opened: KeyValueStore[] = [];
  const open = () => {
    const store = createConsulStore({ address: consul.address });
    opened.push(store);
    return store;
  };

  before(async () => {
    consul = await startConsul();
  });

  after(() => consul.remove());

  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
  });

  describeStoreContract('the Consul store', async () => ({ store: open(), prefix: `${randomUUID()}/` }));

  it('reports "unreachable" when nothing listens, while a wait is open, and works again afterwards', async () => {
    const store = open();
    await store.transact([{ kind: 'set', key: 'away/a', value: '1' }]);
    const before = await store.waitForKey('away/a', 0, AbortSignal.timeout(10_000));
    const waiting = rejection(store.waitForKey('away/a', before.index, AbortSignal.timeout(30_000)));
    await consul.kill();
    expect(await waiting).to.have.property('code', 'registry-unreachable');
    expect(await rejection(store.get('away/a'))).to.have.property('code', 'registry-unreachable');
    await consul.start();
    expect((await store.get('away/a'))?.value).to.equal('1');
  });

  it('ends a call to a Consul that does not respond', async () => {
    const store = createConsulStore({ address: consul.address, timeoutMs: 300 });
    opened.push(store);
    await consul.pause();
    try {
      const began = performance.now();
      expect(await rejection(store.get('a'))).to.have.property('code', 'registry-unreachable');
      expect(performance.now() - began).to.be.lessThan(5_000);
    } finally {
      consul.resume();
    }
  });

  it('binds no session to the health of a node', async () => {
    const session = await open().createSession({ name: 'free', ttlMs: 10_000, behavior: 'delete' });
    const response = await fetch(`${consul.url}/v1/session/info/${session}`);
    const [info] = (await response.json()) as readonly { readonly NodeChecks: unknown; readonly LockDelay: number }[];
    expect(info).to.deep.include({ NodeChecks: [], LockDelay: 0 });
  });

  const wrongAddresses = ['ftp://consul:8500', 'http://', 'consul:port'];
  for (const address of wrongAddresses) {
    it(`refuses the address ${address}`, () => {
      expect(() => createConsulStore({ address }))
        .to.throw('CONSUL_HTTP_ADDR')
        .with.property('code', 'registry-refused');
    });
  }

  const addresses = [
    [{ address: 'consul' }, 'consul at consul:8500'],
    [{ address: 'http://consul:80' }, 'consul at consul'],
    [{ address: 'https://consul' }, 'consul at https://consul:8500'],
    [{ address: 'consul:8501', secure: true }, 'consul at https://consul:8501'],
    [{ address: '[::1]:8500' }, 'consul at [::1]:8500'],
  ] as const;
  for (const [options, description] of addresses) {
    it(`reads ${JSON.stringify(options)} as ${description}`, () => {
      const store = createConsulStore(options);
      opened.push(store);
      expect(store.description).to.equal(description);
    });
  }
});
