import { type Logger, pause } from '@swarmgate/runtime';
import type { KeyValueStore } from '../store/key-value-store.ts';

export interface LockOptions {
  readonly store: KeyValueStore;
  readonly key: string;
  readonly heartbeatKey: string;
  readonly name: string;
  readonly logger: Logger;
  readonly ttlMs: number;
  readonly heartbeatMs: number;
  readonly silenceMs: number;
}

/** A lock that a session of this process holds. */
export interface AcquiredLock {
  readonly session: string;
  /** When the store last confirmed the lock, by `performance.now()`. */
  readonly confirmedAtMs: number;
}

/** `undefined`: another process got the lock first. @throws RegistryError */
export async function acquireLock(options: LockOptions, signal: AbortSignal): Promise<AcquiredLock | undefined> {
  const { store, key, heartbeatKey, name } = options;
  const confirmedAtMs = performance.now();
  const session = await store.createSession({ name, ttlMs: options.ttlMs, behavior: 'release' }, signal);
  const value = JSON.stringify({ name, since: new Date().toISOString() });
  let isAcquired = false;
  try {
    const result = await store.transact(
      [
        { kind: 'lock', key, value, session },
        // In one transaction with the lock, so that a standby never sees a new leader with the former one's heartbeat.
        { kind: 'set', key: heartbeatKey, value: heartbeat(session, 0) },
      ],
      signal,
    );
    isAcquired = result.ok;
    return isAcquired ? { session, confirmedAtMs } : undefined;
  } finally {
    if (!isAcquired) await endSession(options, session);
  }
}

/**
 * Renews the session and writes the heartbeat until the lock is lost, the store has confirmed nothing for `silenceMs`
 * (a standby may have taken over by then), or the signal aborts. Releases the lock. Returns the reason for the log.
 */
export async function keepLock(lock: AcquiredLock, options: LockOptions, signal: AbortSignal): Promise<string> {
  const { store, key, heartbeatKey } = options;
  let { confirmedAtMs } = lock;
  let ended = 'stopped';
  for (let beat = 1; await pause(options.heartbeatMs, signal); beat += 1) {
    const leftMs = confirmedAtMs + options.silenceMs - performance.now();
    const began = performance.now();
    try {
      if (leftMs <= 0) throw new Error(`no heartbeat for ${options.silenceMs} ms`);
      // Bounded by what is left of the silence: a store that hangs must not leave two leaders.
      const within = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(leftMs))]);
      const [isRenewed, written] = await Promise.all([
        store.renewSession(lock.session, within),
        store.transact(
          [
            { kind: 'check-session', key, session: lock.session },
            { kind: 'set', key: heartbeatKey, value: heartbeat(lock.session, beat) },
          ],
          within,
        ),
      ]);
      if (!isRenewed || !written.ok) {
        ended = 'another process holds the lock';
        break;
      }
      confirmedAtMs = began;
    } catch (error) {
      if (signal.aborted) break;
      options.logger.warn({ key, err: error }, 'leader heartbeat not written');
      if (performance.now() - confirmedAtMs >= options.silenceMs) {
        ended = 'the registry does not respond';
        break;
      }
    }
  }
  await endSession(options, lock.session);
  return ended;
}

/** Without the caller's signal: releasing the lock is part of stopping. */
async function endSession(options: LockOptions, session: string): Promise<void> {
  try {
    await options.store.destroySession(session, AbortSignal.timeout(2_000));
  } catch (error) {
    // It ends by itself after its TTL.
    options.logger.debug({ key: options.key, err: error }, 'leader session not ended');
  }
}

function heartbeat(session: string, beat: number): string {
  return JSON.stringify({ session, beat });
}
