import { pause } from '@swarmgate/runtime';
import type { KeyValueStore } from '../store/key-value-store.ts';

export interface LockFreeOptions {
  readonly store: KeyValueStore;
  readonly key: string;
  readonly heartbeatKey: string;
  readonly silenceMs: number;
  /** The last session under which this process held the lock, where it has given it up since. */
  readonly formerSession: string | undefined;
}

export type LockFree =
  | { readonly kind: 'free' }
  /** Still locked by a session of this process that could not be ended: the registry was away at that time. */
  | { readonly kind: 'ours'; readonly session: string }
  /** Locked by a process that writes no heartbeat. */
  | { readonly kind: 'silent'; readonly session: string; readonly leader: string };

// Where a store responds to a blocking query at once although nothing changed.
const betweenLooksMs = 50;

/**
 * Resolves when no session holds the lock, or its holder wrote no heartbeat for `silenceMs` while the store could be
 * read. Time during which this process was cut off or paused does not count: the heartbeat is read again before its
 * writer counts as silent. @throws RegistryError
 */
export async function untilLockIsFree(options: LockFreeOptions, signal: AbortSignal): Promise<LockFree> {
  const { store, key, heartbeatKey, silenceMs } = options;
  let lock = await store.waitForKey(key, 0, signal);
  let heartbeat = await store.waitForKey(heartbeatKey, 0, signal);
  let changedAtMs = performance.now();
  for (;;) {
    if (lock.data?.session === undefined) return { kind: 'free' };
    if (lock.data.session === options.formerSession) return { kind: 'ours', session: lock.data.session };
    const before = { session: lock.data.session, beat: heartbeat.data?.index };
    const leftMs = changedAtMs + silenceMs - performance.now();
    if (leftMs > 0) await untilEitherChanges(options, lock.index, heartbeat.index, leftMs, signal);
    const readAtMs = performance.now();
    lock = await store.waitForKey(key, 0, signal);
    heartbeat = await store.waitForKey(heartbeatKey, 0, signal);
    if (lock.data?.session !== before.session || heartbeat.data?.index !== before.beat) {
      changedAtMs = performance.now();
    } else if (leftMs <= 0 && readAtMs - changedAtMs >= silenceMs) {
      return { kind: 'silent', session: before.session, leader: lock.data.value };
    } else if (!(await pause(betweenLooksMs, signal))) throw signal.reason;
  }
}

async function untilEitherChanges(
  { store, key, heartbeatKey }: LockFreeOptions,
  lockIndex: number,
  heartbeatIndex: number,
  leftMs: number,
  signal: AbortSignal,
): Promise<void> {
  const enough = new AbortController();
  const timer = setTimeout(() => enough.abort(), leftMs);
  const either = AbortSignal.any([signal, enough.signal]);
  const waits = [store.waitForKey(key, lockIndex, either), store.waitForKey(heartbeatKey, heartbeatIndex, either)];
  try {
    await Promise.race(waits);
  } catch (error) {
    if (!enough.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
    enough.abort();
    await Promise.allSettled(waits);
  }
}
