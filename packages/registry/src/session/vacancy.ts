import type { KeyValueStore } from '../store/key-value-store.ts';

export interface VacancyOptions {
  readonly store: KeyValueStore;
  readonly key: string;
  readonly heartbeatKey: string;
  readonly silenceMs: number;
  /** Our own last session, where we held the lock before and do not hold it for ours any more. */
  readonly formerSession: string | undefined;
}

export type Vacancy =
  | { readonly kind: 'free' }
  /** Our own former session still holds the lock: the registry was away when we gave it up. */
  | { readonly kind: 'ours'; readonly session: string }
  /** Somebody holds the lock but shows no heartbeat. */
  | { readonly kind: 'silent'; readonly session: string; readonly leader: string };

/**
 * Resolves when nobody holds the lock, or its holder was silent for `silenceMs` while we could see it. Time in which we
 * were cut off ourselves, or paused, does not count: the heartbeat is read anew before anybody is called silent.
 * @throws RegistryError
 */
export async function awaitVacancy(options: VacancyOptions, signal: AbortSignal): Promise<Vacancy> {
  const { store, key, heartbeatKey, silenceMs } = options;
  let lock = await store.waitForKey(key, 0, signal);
  let heartbeat = await store.waitForKey(heartbeatKey, 0, signal);
  let seenAtMs = performance.now();
  for (;;) {
    if (lock.data?.session === undefined) return { kind: 'free' };
    if (lock.data.session === options.formerSession) return { kind: 'ours', session: lock.data.session };
    const before = { session: lock.data.session, beat: heartbeat.data?.index };
    const leftMs = seenAtMs + silenceMs - performance.now();
    if (leftMs > 0) await untilEitherChanges(options, lock.index, heartbeat.index, leftMs, signal);
    const askedAtMs = performance.now();
    lock = await store.waitForKey(key, 0, signal);
    heartbeat = await store.waitForKey(heartbeatKey, 0, signal);
    if (lock.data?.session !== before.session || heartbeat.data?.index !== before.beat) {
      seenAtMs = performance.now();
    } else if (leftMs <= 0 && askedAtMs - seenAtMs >= silenceMs) {
      return { kind: 'silent', session: before.session, leader: lock.data.value };
    }
  }
}

async function untilEitherChanges(
  { store, key, heartbeatKey }: VacancyOptions,
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
