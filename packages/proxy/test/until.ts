/** Waits for a condition, looking every few milliseconds; gives up loudly. */
export async function until(condition: () => boolean, what: string, mostMs = 5_000): Promise<void> {
  const startedMs = performance.now();
  while (!condition()) {
    if (performance.now() - startedMs > mostMs) throw new Error(`waited ${mostMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
