import { setTimeout as pause } from 'node:timers/promises';

export interface UntilOptions {
  /** Default 30_000: a ceiling for a slow machine, not an expectation. */
  readonly withinMs?: number;
  /** Pause between two looks. Default 50. */
  readonly everyMs?: number;
}

/**
 * Looks again and again until `look` answers something else than `undefined` or `false`, and answers that. What `look`
 * throws counts as "not yet" and is told when time is over. @throws Error that says what was awaited.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  options: UntilOptions = {},
): Promise<T> {
  const withinMs = options.withinMs ?? 30_000;
  const deadline = performance.now() + withinMs;
  for (;;) {
    let reason: unknown = 'it did not hold';
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
    } catch (error) {
      reason = error;
    }
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`, { cause: reason });
    await pause(options.everyMs ?? 50);
  }
}
