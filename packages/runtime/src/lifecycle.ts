/** Something long-lived with one owner, which stops it. Stopping is idempotent. */
export interface Running {
  readonly stop: () => Promise<void>;
}

/** Stops in the reverse order of starting, the remaining ones too when one fails. @throws AggregateError of all failures */
export async function stopAll(running: readonly Running[]): Promise<void> {
  const failures: unknown[] = [];
  for (const each of running.toReversed()) {
    try {
      await each.stop();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'not everything stopped cleanly');
}

/** The first call stops; later ones resolve with it. */
export function stopOnce(stop: () => Promise<void>): () => Promise<void> {
  let stopping: Promise<void> | undefined;
  return () => {
    stopping ??= stop();
    return stopping;
  };
}

/** Resolves `true` after `ms`, or `false` at once when the signal aborts. Never rejects, never leaves a timer behind. */
export function pause(ms: number, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const onAbort = () => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve(true);
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Waiting time before attempt `attempt` (0 is the first repetition), in milliseconds: doubles from `firstMs` up to
 * `mostMs`, with up to half of it taken off at random so that many clients do not retry at the same instant.
 */
export function backoffMs(
  attempt: number,
  firstMs: number,
  mostMs: number,
  random: () => number = Math.random,
): number {
  const full = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 30));
  return full / 2 + (full / 2) * random();
}

/** The longest time that `setTimeout` waits, some 24 days; a longer one fires at once. */
export const longestTimerMs = 2_147_483_647;

/** A limit as timers take it: 0 means no limit. */
export function timerMs(limitMs: number): number {
  return limitMs === 0 ? longestTimerMs : Math.min(limitMs, longestTimerMs);
}
