/** A plug-in is suspended after so many blocked workers within this time, in milliseconds. */
const mostBlocks = 3;
const countedMs = 60_000;
export const suspendedMs = 5 * 60_000;

/**
 * Plug-ins that have blocked workers again and again: without this each request of such a plug-in would cost a worker, and all
 * services would wait for new ones.
 */
export class SuspendedPlugins {
  readonly #blocks = new Map<string, number[]>();
  readonly #untilMs = new Map<string, number>();
  readonly #now: () => number;

  /** @param now Monotonic milliseconds. Default `performance.now` */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get names(): readonly string[] {
    return [...this.#untilMs.keys()];
  }

  /** A worker was blocked. @returns whether the plug-in is suspended from now on */
  blocked(plugin: string): boolean {
    const now = this.#now();
    const blocks = [...(this.#blocks.get(plugin) ?? []), now].filter((atMs) => atMs > now - countedMs);
    this.#blocks.set(plugin, blocks);
    if (blocks.length < mostBlocks || this.#untilMs.has(plugin)) return false;
    this.#untilMs.set(plugin, now + suspendedMs);
    return true;
  }

  /** @returns those whose time is over */
  release(): readonly string[] {
    const over = [...this.#untilMs].filter(([, untilMs]) => untilMs <= this.#now()).map(([plugin]) => plugin);
    for (const plugin of over) this.#forget(plugin);
    return over;
  }

  /** Their files are others now. */
  clear(): void {
    this.#blocks.clear();
    this.#untilMs.clear();
  }

  #forget(plugin: string): void {
    this.#untilMs.delete(plugin);
    this.#blocks.delete(plugin);
  }
}
