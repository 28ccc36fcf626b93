const minuteMs = 60_000;

/** Waits after the first, second and third failure of a name, in milliseconds; from the fourth on daily. */
const firstWaitsMs = [minuteMs, 10 * minuteMs, 100 * minuteMs] as const;
const dailyMs = 24 * 60 * minuteMs;

/**
 * When a name that has failed `failures` times is tried again. At most three tries an hour, below the five failed
 * authorizations that Let's Encrypt allows. The CA's own retry time counts where it is later.
 */
export function nextAttemptMs(failures: number, nowMs: number, retryAfterMs = 0): number {
  return nowMs + Math.max(firstWaitsMs[failures - 1] ?? dailyMs, retryAfterMs);
}
