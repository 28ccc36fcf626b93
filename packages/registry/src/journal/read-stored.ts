import { type ServiceKey, serviceKey } from '@swarmgate/labels';
import type { ServiceChange } from '../registry.ts';
import type { StoredValue } from '../store/key-value-store.ts';
import { mostOperations } from '../store/store-limits.ts';
import type { JournalContext } from './journal-context.ts';
import type { KeyLayout } from './key-layout.ts';

// From here on listing an owner's documents costs less than reading each of them.
const listFromKeys = 2_048;
// Reads that are under way at the same time.
const mostAtOnce = 4;
// Beyond this many services one listing of all their owner's history entries is cheaper than one for each.
const listHistoriesFrom = 64;

/** The keys of the documents that a change names. */
export function documentKeysOf(change: ServiceChange, layout: KeyLayout): readonly string[] {
  const service = serviceKey(change);
  const keys: string[] = [];
  if (change.definition !== undefined) keys.push(layout.documentKey('services', service));
  if (change.endpoints !== undefined) keys.push(layout.documentKey('endpoints', service));
  if (change.labelProblems !== undefined) keys.push(layout.documentKey('labelProblems', service));
  if (change.maintenance !== undefined) keys.push(layout.documentKey('maintenance', service));
  return keys;
}

/** What stands under these keys now. */
export async function readStored(
  { store }: JournalContext,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, StoredValue>> {
  const stored = new Map<string, StoredValue>();
  if (keys.length < listFromKeys) {
    const batches: (readonly string[])[] = [];
    for (let from = 0; from < keys.length; from += mostOperations)
      batches.push(keys.slice(from, from + mostOperations));
    await inTurns(batches, async (batch) => {
      for (const [key, value] of await store.getMany(batch, signal)) stored.set(key, value);
    });
    return stored;
  }
  const prefixes = new Set(keys.map((key) => key.slice(0, key.lastIndexOf('/') + 1)));
  await inTurns([...prefixes], async (prefix) => {
    for (const value of (await store.list(prefix, signal)).data) stored.set(value.key, value);
  });
  return stored;
}

/** The numbers of the history entries of several services; each of them is in the response. */
export async function readHistoryNumbers(
  { store, layout }: JournalContext,
  services: readonly ServiceKey[],
  signal: AbortSignal,
): Promise<ReadonlyMap<ServiceKey, readonly number[]>> {
  const numbers = new Map<ServiceKey, number[]>(services.map((service) => [service, []]));
  const prefixes =
    services.length < listHistoriesFrom
      ? services.map((service) => layout.history(service))
      : [...new Set(services.map((service) => `${layout.histories}${service.split('/')[0]}/`))];
  await inTurns(prefixes, async (prefix) => {
    for (const key of (await store.keys(prefix, undefined, signal)).data) {
      const entry = layout.historyEntry(key);
      if (entry !== undefined) numbers.get(entry.service)?.push(entry.number);
    }
  });
  return numbers;
}

/** Some at the same time, the next when one has ended; rejects with the first that fails. */
async function inTurns<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const waiting = all.values();
  const take = async () => {
    for (const one of waiting) await work(one);
  };
  await Promise.all(Array.from({ length: Math.min(mostAtOnce, all.length) }, take));
}
