import { type Logger, messageOf, pause } from '@swarmgate/runtime';
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

/** A lock that a session of ours holds. */
export interface HeldLock {
  readonly session: string;
  /** When it was known to be ours for the last time, by `performance.now()`. */
  readonly takenAtMs: number;
}

/** `undefined`: somebody else was faster. @throws RegistryError */
export async function takeLock(options: LockOptions, signal: AbortSignal): Promise<HeldLock | undefined> {
  const { store, key, heartbeatKey, name } = options;
  const takenAtMs = performance.now();
  const session = await store.createSession({ name, ttlMs: options.ttlMs, behavior: 'release' }, signal);
  const value = JSON.stringify({ name, since: new Date().toISOString() });
  let taken = false;
  try {
    const result = await store.transact(
      [
        { kind: 'lock', key, value, session },
        // With the lock, so that a standby never sees a new leader with the old one's last heartbeat.
        { kind: 'set', key: heartbeatKey, value: heartbeat(session, 0) },
      ],
      signal,
    );
    taken = result.ok;
    return taken ? { session, takenAtMs } : undefined;
  } finally {
    if (!taken) await endSession(options, session);
  }
}

/**
 * Renews and shows the heartbeat until the lock is lost, the registry does not answer for `silenceMs` (then a standby
 * may have taken over), or the signal aborts. Gives the lock back. Returns why it ended.
 */
export async function holdLock(lock: HeldLock, options: LockOptions, signal: AbortSignal): Promise<string> {
  const { store, key, heartbeatKey } = options;
  let provenAtMs = lock.takenAtMs;
  let ended = 'stopped';
  for (let beat = 1; await pause(options.heartbeatMs, signal); beat += 1) {
    const leftMs = provenAtMs + options.silenceMs - performance.now();
    const began = performance.now();
    try {
      if (leftMs <= 0) throw new Error(`no heartbeat for ${options.silenceMs} ms`);
      // Never longer than we may believe in the lock: a store that hangs must not keep two leaders.
      const within = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(leftMs))]);
      const [renewed, shown] = await Promise.all([
        store.renewSession(lock.session, within),
        store.transact(
          [
            { kind: 'check-session', key, session: lock.session },
            { kind: 'set', key: heartbeatKey, value: heartbeat(lock.session, beat) },
          ],
          within,
        ),
      ]);
      if (!renewed || !shown.ok) {
        ended = 'another process holds the lock';
        break;
      }
      provenAtMs = began;
    } catch (error) {
      if (signal.aborted) break;
      options.logger.warn({ key, error: messageOf(error) }, 'a heartbeat could not be shown');
      if (performance.now() - provenAtMs >= options.silenceMs) {
        ended = 'the registry does not answer';
        break;
      }
    }
  }
  await endSession(options, lock.session);
  return ended;
}

/** Without the caller's signal: giving the lock back is what stopping is for. */
async function endSession(options: LockOptions, session: string): Promise<void> {
  try {
    await options.store.destroySession(session, AbortSignal.timeout(2_000));
  } catch (error) {
    // It ends by itself after its TTL.
    options.logger.debug({ key: options.key, error: messageOf(error) }, 'the session could not be ended');
  }
}

function heartbeat(session: string, beat: number): string {
  return JSON.stringify({ session, beat });
}
