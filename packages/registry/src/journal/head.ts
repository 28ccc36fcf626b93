import type { FullReadCause, JournalPosition } from '../registry.ts';

/**
 * `<instance>/head`: proof that the registry is there, and the journal of its last transactions. One blocking query on this key
 * shows a follower that something changed, and what.
 */
export interface Head {
  readonly version: 1;
  /** Random, made with the registry: a different one means a different registry. */
  readonly registryId: string;
  /** Rises by one with every publishing transaction. */
  readonly sequence: number;
  /** Oldest first, without a gap, the last one being `sequence`. */
  readonly changes: readonly JournalEntry[];
}

/** One transaction. Keys are relative to the instance: `services/swarm/web`. */
export interface JournalEntry {
  readonly sequence: number;
  /**
   * The store's index of this transaction, known only to the one after it; the newest entry has none, its index is that
   * of `head` itself. By these a follower distinguishes a manual edit from a transaction that it has not seen by itself.
   */
  readonly index?: number;
  /** The writer waits until every replica serves this transaction: replicas report it without delay. */
  readonly awaited?: boolean;
  readonly put: readonly string[];
  readonly remove: readonly string[];
}

/** How many keys the journal remembers; older transactions fall out, and followers that missed them read in full. */
export const mostJournalKeys = 512;
/** And at most this many transactions, so that many small ones stay small too. */
export const mostJournalEntries = 200;
/** And at most this many bytes of keys: it travels to every follower with every change. */
export const mostJournalBytes = 24 * 1024;

/**
 * `undefined`: not a head. The next publication then writes a new one, which followers take for another registry. Checked
 * without zod: every follower reads a head of hundreds of entries with every change.
 */
export function parseHead(value: string): Head | undefined {
  try {
    const json: unknown = JSON.parse(value);
    return isHead(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

function isHead(json: unknown): json is Head {
  if (typeof json !== 'object' || json === null) return false;
  const { version, registryId, sequence, changes } = json as Readonly<Record<keyof Head, unknown>>;
  if (version !== 1 || typeof registryId !== 'string' || registryId === '') return false;
  return isCount(sequence, 0) && Array.isArray(changes) && changes.every(isEntry);
}

function isEntry(json: unknown): json is JournalEntry {
  if (typeof json !== 'object' || json === null) return false;
  const { sequence, index, put, remove, awaited } = json as Readonly<Record<keyof JournalEntry, unknown>>;
  if (awaited !== undefined && typeof awaited !== 'boolean') return false;
  return isCount(sequence, 1) && (index === undefined || isCount(index, 1)) && isKeys(put) && isKeys(remove);
}

function isCount(json: unknown, least: number): json is number {
  return Number.isSafeInteger(json) && (json as number) >= least;
}

function isKeys(json: unknown): json is readonly string[] {
  return Array.isArray(json) && json.every((key) => typeof key === 'string');
}

export function newHead(registryId: string): Head {
  return { version: 1, registryId, sequence: 0, changes: [] };
}

/** The head after one more transaction. `index` is the store's index of the head before it. */
export function appendToHead(
  head: Head,
  index: number,
  { put, remove, awaited }: Pick<JournalEntry, 'put' | 'remove' | 'awaited'>,
): Head {
  const sequence = head.sequence + 1;
  const changes: JournalEntry[] = head.changes.map((entry) =>
    entry.sequence === head.sequence ? { ...entry, index } : entry,
  );
  changes.push({ sequence, put, remove, ...(awaited === true ? { awaited } : {}) });
  return { version: 1, registryId: head.registryId, sequence, changes: bounded(changes) };
}

export function serializeHead(head: Head): string {
  return JSON.stringify(head);
}

/** The newest position whose writer waits until it is served; `undefined`: none that the journal remembers. */
export function awaitedPosition({ registryId, changes }: Head): JournalPosition | undefined {
  const entry = changes.findLast(({ awaited }) => awaited === true);
  return entry === undefined ? undefined : { registryId, sequence: entry.sequence };
}

/** A head, and the store's index of it. */
export interface HeadAt {
  readonly head: Head;
  readonly headIndex: number;
}

/** How a head relates to the one known before: another registry, an older state of it or what came of one, or neither. */
export function differenceOf(present: HeadAt, before: HeadAt | undefined): FullReadCause | undefined {
  if (before === undefined) return undefined;
  if (present.head.registryId !== before.head.registryId) return 'other-registry';
  return isContinuation(present, before) === false ? 'index-backwards' : undefined;
}

/**
 * Whether a head of the same registry came of the one before by further transactions. A registry that is restored from a backup and
 * written again may be past the known sequence when it is looked at: by then another transaction, of another index, has
 * that sequence. `undefined`: the journal does not reach back so far.
 */
export function isContinuation(present: HeadAt, { head, headIndex }: HeadAt): boolean | undefined {
  const { changes, sequence } = present.head;
  if (sequence < head.sequence) return false;
  if (sequence === head.sequence) return present.headIndex === headIndex;
  const entry = changes.at(head.sequence - sequence - 1);
  return entry?.index === undefined || entry.sequence !== head.sequence ? undefined : entry.index === headIndex;
}

/** For each key what happened to it last after `sequence`; `undefined` when the journal does not reach back so far. */
export function changesSince(head: Head, sequence: number): ReadonlyMap<string, 'put' | 'remove'> | undefined {
  if (sequence > head.sequence) return undefined;
  const missed = head.changes.filter((entry) => entry.sequence > sequence);
  if (missed.length !== head.sequence - sequence) return undefined;
  const last = new Map<string, 'put' | 'remove'>();
  for (const entry of missed) {
    for (const key of entry.put) last.set(key, 'put');
    for (const key of entry.remove) last.set(key, 'remove');
  }
  return last;
}

/** Indexes of all transactions that the journal remembers; `headIndex` is the store's index of `head`. */
export function journalledIndexes(head: Head, headIndex: number): ReadonlySet<number> {
  const indexes = new Set<number>([headIndex]);
  for (const entry of head.changes) if (entry.index !== undefined) indexes.add(entry.index);
  return indexes;
}

/** Keys that the journal lists as removed, and not put again. */
export function removedKeys(head: Head): ReadonlySet<string> {
  const removed = new Set<string>();
  for (const entry of head.changes) {
    for (const key of entry.put) removed.delete(key);
    for (const key of entry.remove) removed.add(key);
  }
  return removed;
}

export function revisionOf(head: Pick<Head, 'registryId' | 'sequence'>): string {
  return `${head.registryId}:${head.sequence}`;
}

function bounded(changes: readonly JournalEntry[]): readonly JournalEntry[] {
  let keys = 0;
  let bytes = 0;
  let kept = 0;
  for (const entry of changes.toReversed()) {
    for (const key of [...entry.put, ...entry.remove]) {
      keys += 1;
      bytes += key.length;
    }
    const full = keys > mostJournalKeys || bytes > mostJournalBytes || kept >= mostJournalEntries;
    // The newest transaction stays whatever its size: it has at most 64 operations.
    if (kept > 0 && full) break;
    kept += 1;
  }
  return changes.slice(changes.length - kept);
}
