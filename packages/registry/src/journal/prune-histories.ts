import type { ServiceKey } from '@swarmgate/labels';
import type { PublishOptions } from '../registry.ts';
import type { Operation } from '../store/key-value-store.ts';
import { mostOperations } from '../store/store-limits.ts';
import type { JournalContext } from './journal-context.ts';
import { readStored } from './read-stored.ts';

/** Removed services of each owner whose former definitions are kept: those that were removed last. */
export const mostRemovedHistories = 100;
/** After so many removals it is looked how many there are: that names every entry of the owner. */
export const removalsBetweenLooks = 50;

/**
 * Takes out the histories of the services of one owner that were removed longest ago. Each goes only where its service
 * is still not there, and entry by entry: nothing is ever deleted by prefix. @throws RegistryError
 */
export async function pruneHistories(
  context: JournalContext,
  owner: string,
  { fence, signal }: PublishOptions,
): Promise<void> {
  const { store, layout } = context;
  const histories = new Map<ServiceKey, number[]>();
  for (const key of (await store.keys(`${layout.histories}${owner}/`, undefined, signal)).data) {
    const entry = layout.historyEntry(key);
    if (entry === undefined) continue;
    const numbers = histories.get(entry.service);
    if (numbers === undefined) histories.set(entry.service, [entry.number]);
    else numbers.push(entry.number);
  }
  for (const key of (await store.keys(`${layout.services}${owner}/`, undefined, signal)).data) {
    const place = layout.place(key);
    if (place.kind === 'services') histories.delete(place.service);
  }
  if (histories.size <= mostRemovedHistories) return;

  const newestKey = (service: ServiceKey, numbers: readonly number[]) => layout.history(service, Math.max(...numbers));
  const newest = await readStored(
    context,
    [...histories].map(([service, numbers]) => newestKey(service, numbers)),
    signal,
  );
  const removedAt = ([service, numbers]: readonly [ServiceKey, readonly number[]]) =>
    newest.get(newestKey(service, numbers))?.index ?? 0;
  const oldestFirst = [...histories].toSorted((a, b) => removedAt(a) - removedAt(b));
  let operations: Operation[] = [];
  const write = async () => {
    if (operations.length === 0) return;
    const fenced: Operation[] = fence === undefined ? [] : [{ kind: 'check-session', ...fence }];
    // Where one does not hold, its service came back: the next look finds the others again.
    await store.transact([...fenced, ...operations], signal);
    operations = [];
  };
  for (const [service, numbers] of oldestFirst.slice(0, histories.size - mostRemovedHistories)) {
    const needed: Operation[] = [
      { kind: 'check-absent', key: layout.documentKey('services', service) },
      ...numbers
        .slice(0, mostOperations - 2)
        .map((n) => ({ kind: 'delete', key: layout.history(service, n) }) as const),
    ];
    if (operations.length + needed.length > mostOperations - 1) await write();
    operations.push(...needed);
  }
  await write();
}
