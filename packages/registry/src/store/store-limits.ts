import { RegistryError } from '../registry-error.ts';
import type { Operation } from './key-value-store.ts';

/** Operations in one transaction: Consul's own limit. */
export const mostOperations = 64;
/**
 * Bytes of one transaction as it is sent, values in base64: Consul's `txn_max_req_len`, measured on 1.8. A single
 * value can therefore not exceed some 390,000 bytes.
 */
export const mostTransactionBytes = 512 * 1024;
/** How long a wait is held open when nothing happens. Short enough that a connection which died silently is noticed. */
export const holdMs = 10_000;
/** Consul refuses shorter sessions. */
export const leastSessionTtlMs = 10_000;

// What both stores take as a key; everything else in a key is hard to type, to see, or to put into a URL.
const keyPattern = /^[A-Za-z0-9._/-]+$/;
// Names of the fields, quotes, index and session of one operation in JSON; measured to be enough.
const framingBytes = 160;

/** What one operation adds to a transaction on its way to Consul, rounded up. */
export function operationBytes(operation: Operation): number {
  const valueBytes = 'value' in operation ? Math.ceil(Buffer.byteLength(operation.value) / 3) * 4 : 0;
  return valueBytes + operation.key.length + framingBytes;
}

/** @throws RegistryError `registry-refused` for what Consul would not take either. */
export function checkOperations(operations: readonly Operation[]): void {
  if (operations.length === 0 || operations.length > mostOperations) {
    throw RegistryError.of(
      'registry-refused',
      `a transaction has 1 to ${mostOperations} operations, not ${operations.length}`,
    );
  }
  let bytes = 0;
  for (const operation of operations) {
    if (!keyPattern.test(operation.key)) {
      throw RegistryError.of(
        'registry-refused',
        `key ${JSON.stringify(operation.key)} holds more than [A-Za-z0-9._/-]`,
      );
    }
    bytes += operationBytes(operation);
  }
  if (bytes > mostTransactionBytes) {
    throw RegistryError.of(
      'registry-refused',
      `a transaction of ${bytes} bytes on ${operations[0]?.key} is over the limit of ${mostTransactionBytes}`,
    );
  }
}

/** @throws RegistryError `registry-refused` */
export function checkKeyCount(keys: readonly string[]): void {
  if (keys.length > mostOperations) {
    throw RegistryError.of('registry-refused', `at most ${mostOperations} keys at once, not ${keys.length}`);
  }
}

/** @throws RegistryError `registry-refused` */
export function checkSessionTtl(ttlMs: number, leastMs: number = leastSessionTtlMs): void {
  if (ttlMs < leastMs) {
    throw RegistryError.of('registry-refused', `a session lives at least ${leastMs} ms, not ${ttlMs}`);
  }
}
