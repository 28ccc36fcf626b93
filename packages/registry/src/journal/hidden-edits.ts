import { pause } from '@swarmgate/runtime';
import { mostOperations } from '../store/store-limits.ts';
import type { LatestDocuments } from './delta.ts';
import type { JournalContext } from './journal-context.ts';

/** What happened beneath a prefix between two waits: everything from behind `after` up to `index`. */
export interface Gap {
  readonly after: number;
  readonly index: number;
}

/**
 * A wait that was really held wakes for the first change there is. One that answered faster than this may have begun
 * behind several changes, and shows only the index of the last. The time counts from the asking, so it has room for the
 * way there and for a machine that is busy.
 */
const heldForSureMs = 500;

export function gapOf(ring: Gap & { readonly heldMs: number }): Gap | undefined {
  return ring.heldMs < heldForSureMs && ring.index - ring.after > 1
    ? { after: ring.after, index: ring.index }
    : undefined;
}

/**
 * Whether a hand edit may hide in a gap, behind a transaction that the journal explains: whether the store counted
 * something there that is no transaction of the journal. Mostly that is a heartbeat, so the answer is a suspicion.
 */
export function mayHide(gap: Gap, explained: ReadonlySet<number>): boolean {
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
 * Whether any document is another one than the journal made it. Reads everything, in small pieces and no more than half
 * of the time: in a large registry one read of it all would hold up, by a quarter of a second, the changes that come
 * meanwhile. @throws RegistryError
 */
export async function findHiddenEdit(
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
        // What was written since rings by itself.
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
