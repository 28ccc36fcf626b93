import { expect } from 'chai';
import { RegistryError } from '../registry-error.ts';
import type { Operation } from './key-value-store.ts';
import {
  checkKeyCount,
  checkOperations,
  checkSessionTtl,
  leastSessionTtlMs,
  mostOperations,
  mostTransactionBytes,
  operationBytes,
} from './store-limits.ts';

describe('the limits of a store', () => {
  const setting = (key: string, value = 'x'): Operation => ({ kind: 'set', key, value });
  const many = (count: number) => Array.from({ length: count }, (_, at) => setting(`k${at}`));
  const refused = (act: () => void) => {
    expect(act).to.throw(RegistryError).with.property('code', 'registry-refused');
  };

  it('are 1 to 64 operations in a transaction', () => {
    refused(() => checkOperations([]));
    checkOperations(many(1));
    checkOperations(many(mostOperations));
    refused(() => checkOperations(many(mostOperations + 1)));
  });

  it('are 64 keys in a read', () => {
    checkKeyCount(Array.from({ length: mostOperations }, (_, at) => `k${at}`));
    refused(() => checkKeyCount(Array.from({ length: mostOperations + 1 }, (_, at) => `k${at}`)));
  });

  it('are the bytes of a transaction, to the byte', () => {
    // Values are sent in base64: four bytes for each three.
    const room = mostTransactionBytes - operationBytes(setting('four', ''));
    checkOperations([setting('four', 'x'.repeat((room / 4) * 3))]);
    refused(() => checkOperations([setting('five5', 'x'.repeat((room / 4) * 3))]));
  });

  for (const key of ['edge/services/swarm/web', 'A-z_0.9'])
    it(`are kept by the key ${key}`, () => checkOperations([setting(key)]));
  for (const key of ['', 'a b', 'a%2Fb', 'ä', 'a\nb', 'a?b'])
    it(`are not kept by the key ${JSON.stringify(key)}`, () => refused(() => checkOperations([setting(key)])));

  it('are 10 s for a session', () => {
    checkSessionTtl(leastSessionTtlMs);
    refused(() => checkSessionTtl(leastSessionTtlMs - 1));
  });
});
