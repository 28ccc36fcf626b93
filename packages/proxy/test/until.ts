/**
 * Waits for a condition, looking every few milliseconds; gives up loudly.
 * @param mostMs a ceiling for a slow machine, not an expectation
 */
export async function until(condition: () => boolean | Promise<boolean>, what: string, mostMs = 20_000): Promise<void> {
  const startedMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startedMs > mostMs) throw new Error(`waited ${mostMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Waits until what is counted has begun and grows no more: nobody announces that something is stuck. */
export async function untilStill(count: () => number, what: string): Promise<void> {
  let before = 0;
  let still = 0;
  await until(() => {
    const now = count();
    still = now > 0 && now === before ? still + 1 : 0;
    before = now;
    return still >= 50;
  }, what);
}
