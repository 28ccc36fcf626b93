import type { FullReadCause, HeadHints, RegistryChange } from '../registry.ts';
import type { StoredValue } from '../store/key-value-store.ts';
import { type LatestDocuments, readDelta } from './delta.ts';
import type { FullReadRequests } from './full-read-requests.ts';
import { differenceOf, type Head, type HeadAt, journalledIndexes, parseHead } from './head.ts';
import type { JournalContext } from './journal-context.ts';
import { findMissedWrite, type Gap, gapOf, mayHoldMissedWrite } from './missed-writes.ts';
import type { CompleteRead } from './read.ts';
import { RegistryWatch, type WatchedKind } from './registry-watch.ts';

// How long a wake-up of the names waits for the one of `head`, which a journalled change causes as well, and for the next
// one: keys that are deleted one by one are one loss, and the first of them must not pass for a manual removal. After that
// `head` is read: whatever it does not explain then was written past the journal.
const headFollowsWithinMs = 60;
const mostGatheringMs = 500;
// A burst costs at most one search for missed writes each minute.
const betweenSearchesMs = 60_000;
const mostRememberedIndexes = 4_096;

/** How far a follower has come; brought up to date by each delta. */
export interface Reached {
  head: Head;
  headIndex: number;
  readonly documents: LatestDocuments;
  readonly foreignKeys: readonly string[];
  /** How far the wake-ups of the two prefixes have been taken. */
  names: CompleteRead['names'];
  /** When a search for missed writes began for the last time, by `performance.now()`. */
  searchedAtMs: number;
}

/** Why the registry has to be read again, and below which prefix alone, where one is enough. */
export interface NextRead {
  readonly cause: FullReadCause;
  readonly of?: WatchedKind;
}

export interface JournalOptions {
  readonly requests: FullReadRequests;
  readonly interrupt: AbortSignal;
  readonly graceMs: number;
  readonly searchAfterMs: number;
  readonly hints: HeadHints | undefined;
  readonly signal: AbortSignal;
}

/** Deltas, for as long as the journal explains every wake-up. @throws what a query or a read throws */
export async function* followJournal(
  context: JournalContext,
  reached: Reached,
  { requests, interrupt, graceMs, searchAfterMs, hints, signal }: JournalOptions,
): AsyncGenerator<RegistryChange, NextRead> {
  const { store, layout, logger } = context;
  const stopping = new AbortController();
  const ending = AbortSignal.any([signal, interrupt, stopping.signal]);
  const watch = new RegistryWatch(store, layout, { head: reached.headIndex, ...reached.names }, ending);
  const watching = watch.run();
  const hinting = hints === undefined ? undefined : watch.takeHints(hints, () => reached.head);
  const explained = new Set(journalledIndexes(reached.head, reached.headIndex));
  const foreignNames = topNames(layout.prefix, reached.foreignKeys);
  let unexplained:
    | { readonly indexes: Map<number, WatchedKind>; readonly sinceMs: number; readonly untilMs: number }
    | undefined;
  let gaps: Gap[] = [];
  let searchAtMs = Number.POSITIVE_INFINITY;
  let searching: Promise<void> | undefined;
  /** Index of the newest head that was read, not reported by the query: that one may respond later with an older head. */
  let readIndex = 0;

  /** Takes a head of this registry that is no older than the one reached. `undefined`: the journal has a gap. */
  const advance = async (present: Head, index: number): Promise<readonly RegistryChange[] | undefined> => {
    const delta = await readDelta(store, layout, reached.head, present, reached.documents, signal);
    if (delta === undefined) return undefined;
    const hasMoved = present.sequence > reached.head.sequence;
    reached.head = present;
    reached.headIndex = index;
    context.sawHead(present, index);
    for (const each of journalledIndexes(present, index)) {
      remember(explained, each);
      unexplained?.indexes.delete(each);
    }
    if (unexplained?.indexes.size === 0) unexplained = undefined;
    if (!hasMoved) return [];
    logger.debug(
      {
        revision: delta.revision,
        services: [...delta.services.keys()].slice(0, 20),
        endpoints: [...delta.endpoints.keys()].slice(0, 20),
      },
      'journal followed',
    );
    return [delta];
  };

  try {
    for (;;) {
      const wakeUp = await watch.next(Math.min(unexplained?.untilMs ?? Number.POSITIVE_INFINITY, searchAtMs));
      signal.throwIfAborted();
      if (requests.requested) return { cause: 'requested' };
      if (performance.now() >= searchAtMs) {
        if (gaps.some((gap) => mayHoldMissedWrite(gap, explained))) {
          reached.searchedAtMs = performance.now();
          const search = { followed: reached, explained, graceMs };
          searching = watch.takeSearch(findMissedWrite({ store, layout }, search, ending));
        }
        gaps = [];
        searchAtMs = Number.POSITIVE_INFINITY;
      }
      switch (wakeUp?.kind) {
        case undefined: {
          if (unexplained === undefined || performance.now() < unexplained.untilMs) break;
          const stored = await store.get(layout.head, signal);
          const present = parsed(stored);
          if (stored === undefined || present === undefined) return { cause: 'reconnect' };
          const difference = differenceOf({ head: present, headIndex: stored.index }, reached);
          if (difference !== undefined) return { cause: difference };
          readIndex = stored.index;
          const changes = await advance(present, stored.index);
          if (changes === undefined) return { cause: 'journal-gap' };
          yield* changes;
          if (unexplained === undefined) break;
          const kinds = new Set(unexplained.indexes.values());
          logger.debug({ indexes: [...unexplained.indexes.keys()], below: [...kinds] }, 'write past the journal');
          const [of] = kinds;
          return { cause: 'hand-edit', ...(kinds.size === 1 && of !== undefined ? { of } : {}) };
        }
        case 'failed':
          throw wakeUp.error;
        case 'missed-write':
          logger.debug({}, 'write past the journal found behind a journalled one');
          return { cause: 'hand-edit' };
        case 'backwards':
          // Consul drops its records of deletions after a while, and a prefix then has a lower index; the head distinguishes that from lost data.
          if (!(await headStands(context, reached, signal))) return { cause: 'index-backwards' };
          break;
        case 'foreign-keys':
          if (topNames(layout.prefix, wakeUp.names) !== foreignNames) return { cause: 'hand-edit' };
          break;
        case 'names': {
          const { index } = wakeUp.present;
          reached.names = { ...reached.names, [wakeUp.of]: wakeUp.present };
          const gap = gapOf({ ...wakeUp, index });
          if (gap !== undefined) {
            gaps.push(gap);
            const soonestMs = Math.max(performance.now() + searchAfterMs, reached.searchedAtMs + betweenSearchesMs);
            searchAtMs = Math.min(searchAtMs, soonestMs);
          }
          if (explained.has(index)) break;
          const nowMs = performance.now();
          const { sinceMs = nowMs, indexes = new Map<number, WatchedKind>() } = unexplained ?? {};
          const untilMs = Math.min(sinceMs + mostGatheringMs, nowMs + headFollowsWithinMs);
          unexplained = { indexes: indexes.set(index, wakeUp.of), sinceMs, untilMs };
          break;
        }
        case 'hinted-head':
        case 'head': {
          const present = parsed(wakeUp.stored);
          if (wakeUp.kind === 'hinted-head') {
            if (!isAhead(wakeUp.head, reached.head)) break;
            readIndex = wakeUp.stored.index;
          } else if (present !== undefined && (wakeUp.stored?.index ?? 0) < readIndex) {
            if (!(await headStands(context, reached, signal))) return { cause: 'index-backwards' };
            break;
          }
          // The full read decides what a missing head means, after it has queried again.
          if (wakeUp.stored === undefined || present === undefined) return { cause: 'reconnect' };
          const difference = differenceOf({ head: present, headIndex: wakeUp.stored.index }, reached);
          if (difference !== undefined) return { cause: difference };
          const changes = await advance(present, wakeUp.stored.index);
          if (changes === undefined) return { cause: 'journal-gap' };
          yield* changes;
          break;
        }
      }
    }
  } finally {
    stopping.abort();
    await Promise.all([watching, hinting, searching]);
  }
}

function parsed(stored: StoredValue | undefined): Head | undefined {
  return stored === undefined ? undefined : parseHead(stored.value);
}

function isAhead(head: Head, of: Head): boolean {
  return head.registryId === of.registryId && head.sequence > of.sequence;
}

/** Whether the registry still holds this head, or one that came of it. */
async function headStands(
  { store, layout }: Pick<JournalContext, 'store' | 'layout'>,
  known: HeadAt,
  signal: AbortSignal,
): Promise<boolean> {
  const stored = await store.get(layout.head, signal);
  const present = parsed(stored);
  if (stored === undefined || present === undefined) return false;
  return differenceOf({ head: present, headIndex: stored.index }, known) === undefined;
}

function remember(indexes: Set<number>, index: number): void {
  indexes.add(index);
  if (indexes.size <= mostRememberedIndexes) return;
  const [oldest] = indexes;
  if (oldest !== undefined) indexes.delete(oldest);
}

/** Foreign names one level below the prefix, as one text to compare. */
function topNames(prefix: string, keys: readonly string[]): string {
  return keys
    .filter((key) => !key.slice(prefix.length, -1).includes('/'))
    .toSorted()
    .join(' ');
}
