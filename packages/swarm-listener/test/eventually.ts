import { setTimeout as pause } from 'node:timers/promises';

/** Waits for what `look` answers to be something. @throws after 20 s, which is much even for a slow machine */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const until = performance.now() + 20_000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > until) throw new Error(`not within 20 s: ${what}`);
    await pause(2);
  }
}
