import { backoffMs, pause } from '@swarmgate/runtime';
import type { FollowOptions, FullReadCause, HeadHints, RegistryChange } from '../registry.ts';
import { type LatestDocuments, readDelta } from './delta.ts';
import { Doorbells } from './doorbells.ts';
import { type Head, journalledIndexes, parseHead } from './head.ts';
import { findHiddenEdit, type Gap, gapOf, mayHide } from './hidden-edits.ts';
import type { JournalContext } from './journal-context.ts';
import { type FullRead, readEverything } from './read.ts';
import { WhenRequested } from './when-requested.ts';

type Full = Extract<FullRead, { readonly kind: 'full' }>;

const defaultGraceMs = 250;
const firstBackoffMs = 50;
const mostBackoffMs = 2_000;
// A burst is over when this long has passed; and a long one costs no more than one search each minute.
const searchAfterMs = 2_000;
const betweenSearchesMs = 60_000;

/**
 * See `Registry.follow`. A full read, then the doorbells until one of them says something that the journal cannot
 * explain; then a full read again. Whatever fails ends in a full read too, from index 0: a store that was wiped would
 * otherwise hold our old, high index silently for ever.
 */
export async function* followRegistry(
  context: JournalContext,
  options: FollowOptions,
): AsyncGenerator<RegistryChange, void> {
  const { store, layout, memory } = context;
  const requests = new WhenRequested(options.fullReadRequests);
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  let cause: FullReadCause = 'start';
  let last: Followed | undefined;
  let trouble: 'unreachable' | 'head-missing' | undefined;
  let attempt = 0;
  try {
    while (!signal.aborted) {
      try {
        // Before the read: a request that comes while it runs asks for one that begins later.
        const interrupt = requests.next();
        const read = await readEverything(store, layout, last, signal);
        attempt = 0;
        if (read.kind === 'head-missing') {
          memory.clear();
          if (trouble !== 'head-missing') yield { kind: 'head-missing' };
          trouble = 'head-missing';
          cause = last === undefined ? 'start' : 'reconnect';
          await untilHeadAppears(store, layout.head, signal);
          continue;
        }
        const known = causeOf(read.head, last?.head, undefined);
        // What we remember was another registry's, or another state of it.
        if (known !== undefined) memory.clear();
        cause = known ?? (trouble === undefined || last === undefined ? cause : 'reconnect');
        memory.sawHead(read.head, read.headIndex);
        trouble = undefined;
        yield { kind: 'snapshot', snapshot: read.snapshot, cause, journalled: read.journalled };
        last = {
          head: read.head,
          headIndex: read.headIndex,
          documents: new Map(read.documents),
          searchedAtMs: last?.searchedAtMs ?? Number.NEGATIVE_INFINITY,
        };
        const times = {
          graceMs: options.journalGraceMs ?? defaultGraceMs,
          searchMs: options.searchAfterMs ?? searchAfterMs,
        };
        const hints = options.headHints;
        cause = yield* followJournal(context, read, last, { requests, interrupt, hints, ...times, signal });
      } catch (error) {
        if (signal.aborted) return;
        memory.clear();
        if (trouble !== 'unreachable') {
          yield { kind: 'unreachable', error: error instanceof Error ? error : new Error(String(error)) };
        }
        trouble = 'unreachable';
        await pause(backoffMs(attempt, firstBackoffMs, mostBackoffMs), signal);
        attempt += 1;
      }
    }
  } finally {
    stopping.abort();
    requests.stop();
  }
}

/** How far this follower has come. */
interface Followed {
  head: Head;
  headIndex: number;
  readonly documents: LatestDocuments;
  /** When a search for hidden edits began for the last time, by `performance.now()`. */
  searchedAtMs: number;
}

interface Waiting {
  readonly requests: WhenRequested;
  readonly interrupt: AbortSignal;
  readonly graceMs: number;
  readonly searchMs: number;
  readonly hints: HeadHints | undefined;
  readonly signal: AbortSignal;
}

/** Deltas, for as long as the journal explains every ring. @throws what a wait or a read throws */
async function* followJournal(
  { store, layout, memory }: JournalContext,
  read: Full,
  followed: Followed,
  { requests, interrupt, graceMs, searchMs, hints, signal }: Waiting,
): AsyncGenerator<RegistryChange, FullReadCause> {
  const stopping = new AbortController();
  const ending = AbortSignal.any([signal, interrupt, stopping.signal]);
  const bells = new Doorbells(store, layout, ending);
  const ringing = bells.run({ head: read.headIndex, ...read.names });
  const hinting = hints === undefined ? undefined : bells.takeHints(hints, () => followed.head);
  const explained = new Set(journalledIndexes(read.head, read.headIndex));
  const foreignKeys = topNames(layout.prefix, read.snapshot.foreignKeys);
  let unexplained: { readonly indexes: Set<number>; readonly untilMs: number } | undefined;
  let gaps: Gap[] = [];
  let searchAtMs = Number.POSITIVE_INFINITY;
  let searching: Promise<void> | undefined;
  let hintedIndex = 0;
  try {
    for (;;) {
      const deadlineMs = Math.min(unexplained?.untilMs ?? Number.POSITIVE_INFINITY, searchAtMs);
      const ring = await bells.next(deadlineMs);
      signal.throwIfAborted();
      if (requests.requested) return 'requested';
      if (performance.now() >= searchAtMs) {
        if (gaps.some((gap) => mayHide(gap, explained))) {
          followed.searchedAtMs = performance.now();
          searching = bells.ringWhenFound(findHiddenEdit({ store, layout }, { followed, explained, graceMs }, ending));
        }
        gaps = [];
        searchAtMs = Number.POSITIVE_INFINITY;
      }
      switch (ring?.kind) {
        case undefined:
          // The journal had its time: somebody wrote by hand.
          if (unexplained !== undefined && performance.now() >= unexplained.untilMs) return 'hand-edit';
          break;
        case 'failed':
          throw ring.error;
        case 'hidden-edit':
          return 'hand-edit';
        case 'backwards':
          // Consul forgets deletions after a while and then counts a prefix lower; the head tells that from a restart.
          if (!(await headStands({ store, layout }, followed.head, signal))) return 'index-backwards';
          break;
        case 'foreign-keys':
          if (topNames(layout.prefix, ring.names) !== foreignKeys) return 'hand-edit';
          break;
        case 'names': {
          const gap = gapOf(ring);
          if (gap !== undefined) {
            gaps.push(gap);
            const soonest = Math.max(performance.now() + searchMs, followed.searchedAtMs + betweenSearchesMs);
            searchAtMs = Math.min(searchAtMs, soonest);
          }
          if (explained.has(ring.index)) break;
          unexplained ??= { indexes: new Set(), untilMs: performance.now() + graceMs };
          unexplained.indexes.add(ring.index);
          break;
        }
        case 'hinted-head':
        case 'head': {
          const hinted = ring.kind === 'hinted-head';
          const present = ring.stored === undefined ? undefined : parseHead(ring.stored.value);
          if (hinted && !isAhead(ring.head, followed.head)) break;
          if (hinted) hintedIndex = ring.stored.index;
          // What we were told before the wait answered: that answer is late, unless the store really went back.
          else if (present !== undefined && (ring.stored?.index ?? 0) < hintedIndex) {
            if (!(await headStands({ store, layout }, followed.head, signal))) return 'index-backwards';
            break;
          }
          // The full read decides what a missing head means, after it has asked again.
          if (ring.stored === undefined || present === undefined) return 'reconnect';
          const next = causeOf(present, followed.head, undefined);
          if (next !== undefined) return next;
          const delta = await readDelta(store, layout, followed.head, present, followed.documents, signal);
          if (delta === undefined) return 'journal-gap';
          const moved = present.sequence > followed.head.sequence;
          followed.head = present;
          followed.headIndex = ring.stored.index;
          memory.sawHead(present, ring.stored.index);
          for (const index of journalledIndexes(present, ring.stored.index)) {
            remember(explained, index);
            unexplained?.indexes.delete(index);
          }
          if (unexplained?.indexes.size === 0) unexplained = undefined;
          if (moved) yield delta;
          break;
        }
      }
    }
  } finally {
    stopping.abort();
    await Promise.all([ringing, hinting, searching]);
  }
}

function isAhead(head: Head, of: Head): boolean {
  return head.registryId === of.registryId && head.sequence > of.sequence;
}

/** Whether the registry still holds this head, or one that came after it. */
async function headStands(
  { store, layout }: Pick<JournalContext, 'store' | 'layout'>,
  known: Head,
  signal: AbortSignal,
): Promise<boolean> {
  const stored = await store.get(layout.head, signal);
  const present = stored === undefined ? undefined : parseHead(stored.value);
  return present?.registryId === known.registryId && present.sequence >= known.sequence;
}

/** What a head says about the one we knew: another registry, an older state of it, or nothing (`otherwise`). */
function causeOf<T extends FullReadCause | undefined>(head: Head, before: Head | undefined, otherwise: T) {
  if (before === undefined) return otherwise;
  if (head.registryId !== before.registryId) return 'other-registry';
  if (head.sequence < before.sequence) return 'index-backwards';
  return otherwise;
}

async function untilHeadAppears(store: JournalContext['store'], key: string, signal: AbortSignal): Promise<void> {
  let index = 0;
  while (!signal.aborted) {
    const answer = await store.waitForKey(key, index, signal);
    if (answer.data !== undefined && parseHead(answer.data.value) !== undefined) return;
    // On a missing key Consul answers for writes anywhere; the pause keeps that from becoming a busy loop.
    index = answer.index < index ? 0 : answer.index;
    await pause(firstBackoffMs, signal);
  }
}

const mostRememberedIndexes = 4_096;

function remember(indexes: Set<number>, index: number): void {
  indexes.add(index);
  if (indexes.size <= mostRememberedIndexes) return;
  const [oldest] = indexes;
  if (oldest !== undefined) indexes.delete(oldest);
}

/** Foreign keys one level beneath the prefix, as one text to compare. */
function topNames(prefix: string, keys: readonly string[]): string {
  return keys
    .filter((key) => !key.slice(prefix.length, -1).includes('/'))
    .toSorted()
    .join(' ');
}
