/**
 * When to act on a burst of triggers: the first one at once, the rest of a storm when it has been quiet for `quietMs`,
 * at the latest `mostMs` after the first that waits. Pure: the caller brings the time.
 */
export interface Burst {
  add(nowMs: number): void;
  /** When the waiting triggers are due; `undefined`: none wait. */
  dueAtMs(): number | undefined;
  /** They were taken; what comes next belongs to the same storm unless it was quiet in between. */
  take(nowMs: number): void;
}

export function createBurst({ quietMs, mostMs }: { readonly quietMs: number; readonly mostMs: number }): Burst {
  let firstMs: number | undefined;
  let lastMs = 0;
  let takenMs = Number.NEGATIVE_INFINITY;
  return {
    add(nowMs) {
      firstMs ??= nowMs;
      lastMs = nowMs;
    },
    dueAtMs() {
      if (firstMs === undefined) return undefined;
      const calm = firstMs - takenMs >= quietMs;
      return calm ? firstMs : Math.min(lastMs + quietMs, firstMs + mostMs);
    },
    take(nowMs) {
      firstMs = undefined;
      takenMs = nowMs;
    },
  };
}
