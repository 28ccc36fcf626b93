import { backoffMs, pause } from '@swarmgate/runtime';
import type { FollowOptions, RegistryChange } from '../registry.ts';
import { followJournal, type NextRead, type Reached } from './follow-journal.ts';
import { FullReadRequests } from './full-read-requests.ts';
import { differenceOf, parseHead } from './head.ts';
import type { JournalContext } from './journal-context.ts';
import { type FullRead, readEverything, readOnePrefix } from './read.ts';

const defaultGraceMs = 250;
const defaultSearchAfterMs = 2_000;
const firstBackoffMs = 50;
const mostBackoffMs = 2_000;
// Between two full reads, whatever causes them: the first of these or twice as long as the last read took, doubled while
// each read is requested before that time is over, and the second at most. So a script that edits key after key, or a
// store that goes back and forth, takes a bounded part of the time.
const leastBetweenReadsMs = 50;
const mostBetweenReadsMs = 500;

/**
 * See `Registry.follow`. A full read, then blocking queries until one of them shows something that the journal does not
 * explain, then a full read again. Every failure ends in a full read too, from index 0: a store that lost its data would
 * hold a query with the former, higher index without a response.
 */
export async function* followRegistry(
  context: JournalContext,
  options: FollowOptions,
): AsyncGenerator<RegistryChange, void> {
  const { store, layout, memory, logger } = context;
  const requests = new FullReadRequests(options.fullReadRequests);
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  let next: NextRead = { cause: 'start' };
  let last: Reached | undefined;
  let trouble: 'unreachable' | 'head-missing' | undefined;
  let attempt = 0;
  let readAtMs = Number.NEGATIVE_INFINITY;
  let betweenReadsMs = leastBetweenReadsMs;
  try {
    while (!signal.aborted) {
      const nowMs = performance.now();
      // A request comes from a person, who waits for it.
      const isTooSoon = nowMs < readAtMs && next.cause !== 'requested';
      betweenReadsMs = isTooSoon ? Math.min(mostBetweenReadsMs, betweenReadsMs * 2) : leastBetweenReadsMs;
      if (isTooSoon && !(await pause(readAtMs - nowMs, signal))) return;
      let followedSinceMs = Number.POSITIVE_INFINITY;
      try {
        const beganMs = performance.now();
        // Before the read: a request that comes while it runs requires one that begins later.
        const interrupt = requests.next();
        const read = await readNext(context, next, last, trouble !== undefined, signal);
        const tookMs = performance.now() - beganMs;
        readAtMs = performance.now() + Math.max(betweenReadsMs, Math.min(2 * tookMs, mostBetweenReadsMs));
        if (read.kind === 'head-missing') {
          memory.clear();
          if (trouble !== 'head-missing') yield { kind: 'head-missing' };
          trouble = 'head-missing';
          next = { cause: last === undefined ? 'start' : 'reconnect' };
          await untilHeadAppears(store, layout.head, signal);
          continue;
        }
        const changed = differenceOf(read, last);
        // What is remembered belongs to another registry, or to another state of it.
        if (changed !== undefined) memory.clear();
        const cause = changed ?? (trouble === undefined || last === undefined ? next.cause : 'reconnect');
        context.sawHead(read.head, read.headIndex);
        trouble = undefined;
        logger.debug(
          {
            cause,
            revision: read.snapshot.revision,
            services: read.snapshot.services.size,
            ...(next.of === undefined ? {} : { only: next.of }),
            tookMs: Math.round(tookMs),
          },
          'registry read in full',
        );
        yield { kind: 'snapshot', snapshot: read.snapshot, cause, journalled: read.journalled };
        last = {
          head: read.head,
          headIndex: read.headIndex,
          documents: new Map(read.documents),
          foreignKeys: read.snapshot.foreignKeys,
          names: read.names,
          searchedAtMs: last?.searchedAtMs ?? Number.NEGATIVE_INFINITY,
        };
        followedSinceMs = performance.now();
        next = yield* followJournal(context, last, {
          requests,
          interrupt,
          hints: options.headHints,
          graceMs: options.journalGraceMs ?? defaultGraceMs,
          searchAfterMs: options.searchAfterMs ?? defaultSearchAfterMs,
          signal,
        });
        attempt = 0;
      } catch (error) {
        if (signal.aborted) return;
        memory.clear();
        // Not after every read that succeeds: where reads are served and queries fail, the pauses must grow as well.
        if (performance.now() - followedSinceMs > mostBackoffMs) attempt = 0;
        logger.debug({ err: error, attempt }, 'registry cannot be followed, retrying');
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

/** One prefix where that is enough, everything otherwise. */
async function readNext(
  { store, layout }: JournalContext,
  next: NextRead,
  last: Reached | undefined,
  isInterrupted: boolean,
  signal: AbortSignal,
): Promise<FullRead> {
  if (next.of !== undefined && last !== undefined && !isInterrupted) {
    const read = await readOnePrefix(store, layout, next.of, last, signal);
    if (read !== undefined) return read;
  }
  return readEverything(store, layout, last && { ...last, isInterrupted }, signal);
}

async function untilHeadAppears(store: JournalContext['store'], key: string, signal: AbortSignal): Promise<void> {
  let index = 0;
  while (!signal.aborted) {
    const response = await store.waitForKey(key, index, signal);
    if (response.data !== undefined && parseHead(response.data.value) !== undefined) return;
    index = response.index < index ? 0 : response.index;
    // Consul responds to a query on a missing key after writes anywhere.
    await pause(firstBackoffMs, signal);
  }
}
