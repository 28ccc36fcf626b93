import { randomBytes } from 'node:crypto';
import type { KeyValueStore } from '@swarmgate/registry';
import type { AcmeKeys } from './acme-keys.ts';
import type { RequestDocument } from './documents.ts';

/** Below this a transaction fits into the registry, whatever its values. */
const mostAtOnce = 20;

/** Leaves requests for whichever replica orders. @throws RegistryError */
export async function leaveRequests(
  store: KeyValueStore,
  keys: AcmeKeys,
  requests: readonly RequestDocument[],
  signal?: AbortSignal,
): Promise<void> {
  for (let at = 0; at < requests.length; at += mostAtOnce) {
    const operations = requests.slice(at, at + mostAtOnce).map((request) => ({
      kind: 'set' as const,
      key: `${keys.inbox}${request.kind}-${randomBytes(6).toString('hex')}`,
      value: JSON.stringify(request),
    }));
    await store.transact(operations, signal);
  }
}
