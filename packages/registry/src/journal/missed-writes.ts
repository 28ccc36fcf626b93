import { pause } from '@swarmgate/runtime';
import { mostOperations } from '../store/store-limits.ts';
import type { LatestDocuments } from './delta.ts';
import type { JournalContext } from './journal-context.ts';

/** What happened below a prefix between two blocking queries: everything behind `after` up to `index`. */
export interface Gap {
  readonly after: number;
  readonly index: number;
}

/**
 * A query that was really held responds to the first change there is. One that was served faster than this may have begun
 * behind several changes and shows only the index of the last. Counted from the request, so it includes the way to the
 * store and the delays of a busy machine.
 */
const surelyHeldMs = 500;

export function gapOf(names: Gap & { readonly heldMs: number }): Gap | undefined {
  return names.heldMs < surelyHeldMs && names.index - names.after > 1
    ? { after: names.after, index: names.index }
    : undefined;
}

/**
 * Whether a gap may hold a write that the journal does not explain: whether the store counted an index in it that is no
 * transaction of the journal. Mostly that is a heartbeat, so `true` means only that a search is due.
 */
export function mayHoldMissedWrite(gap: Gap, explained: ReadonlySet<number>): boolean {
  for (let index = gap.after + 1; index < gap.index; index += 1) if (!explained.has(index)) return true;
  return false;
}

export interface SearchOptions {
  /** How far the follower has come by now: it goes on while the search runs. */
  readonly followed: { readonly documents: LatestDocuments; readonly headIndex: number };
  /** Indexes of the journal's transactions, as far as the follower has come. */
  readonly explained: ReadonlySet<number>;
  /** How long the journal may take to explain a removal. */
  readonly graceMs: number;
}

/**
 * Whether any document differs from what the journal made of it. Compares in batches of 64 keys and for at most half of
 * the time: one read of a large registry would delay the changes that come meanwhile by a quarter of a second.
 * @throws RegistryError
 */
export async function findMissedWrite(
  { store, layout }: Pick<JournalContext, 'store' | 'layout'>,
  { followed, explained, graceMs }: SearchOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const keys = new Set(followed.documents.keys());
  for (const prefix of [layout.services, layout.endpoints, layout.labelProblems]) {
    const names = await store.keys(prefix, undefined, signal);
    for (const key of names.data) if ('service' in layout.place(key)) keys.add(key);
  }
  const differing = async (among: readonly string[]) => {
    const found: string[] = [];
    for (let from = 0; from < among.length; from += mostOperations) {
      const beganMs = performance.now();
      const some = among.slice(from, from + mostOperations);
      const stored = await store.getMany(some, signal);
      for (const key of some) {
        const index = stored.get(key)?.index;
        if (index === followed.documents.get(key)?.index) continue;
        // A later write wakes the follower by itself.
        if (index === undefined || (index <= followed.headIndex && !explained.has(index))) found.push(key);
      }
      if (!(await pause(performance.now() - beganMs, signal))) throw signal.reason;
    }
    return found;
  };
  const suspects = await differing([...keys]);
  if (suspects.length === 0) return false;
  if (!(await pause(graceMs, signal))) throw signal.reason;
  return (await differing(suspects)).length > 0;
}
