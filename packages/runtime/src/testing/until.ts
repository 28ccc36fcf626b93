export interface UntilOptions {
  /** How long to wait in all. Default 25,000: a ceiling for a slow machine, below mocha's own timeout of 30 s. */
  readonly withinMs?: number;
  /** The longest pause between two looks. Default 50; pauses start at 1 ms and double. */
  readonly everyMs?: number;
}

/**
 * Polls `look` until it returns something other than `undefined` or `false`, and returns that. An exception counts as "not
 * yet" and becomes the `cause` of the timeout error.
 * @throws Error that names what was awaited
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  options: UntilOptions = {},
): Promise<T> {
  const { withinMs = 25_000, everyMs = 50 } = options;
  const deadline = performance.now() + withinMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(everyMs, pauseMs * 2)) {
    let reason: unknown = 'the condition did not hold';
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
    } catch (error) {
      reason = error;
    }
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`, { cause: reason });
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
