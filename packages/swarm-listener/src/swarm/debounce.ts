/**
 * When to act on triggers that come in bursts: at once on the first, then when none has come for `quietMs`, at the latest
 * `mostMs` after the first that waits. Pure: the caller passes the time.
 */
export interface Debounce {
  readonly add: (nowMs: number) => void;
  /** When the waiting triggers are due; `undefined`: none wait. */
  readonly dueAtMs: () => number | undefined;
  /** The waiting triggers are handled; the next one belongs to the same burst unless it was quiet in between. */
  readonly take: (nowMs: number) => void;
}

export function createDebounce({ quietMs, mostMs }: { readonly quietMs: number; readonly mostMs: number }): Debounce {
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
      const wasQuiet = firstMs - takenMs >= quietMs;
      return wasQuiet ? firstMs : Math.min(lastMs + quietMs, firstMs + mostMs);
    },
    take(nowMs) {
      firstMs = undefined;
      takenMs = nowMs;
    },
  };
}
