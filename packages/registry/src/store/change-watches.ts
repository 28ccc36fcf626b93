import { RegistryError } from '../registry-error.ts';

/** One key or one prefix with waiters. */
interface Watch {
  readonly matches: (key: string) => boolean;
  /** Index of the last change below it; never lower than the true one. */
  index: number;
  readonly waiters: Set<() => void>;
}

// Every write compares its keys with every watch, so watches without waiters are forgotten at some point.
const mostWatches = 256;

/**
 * Who waits for what inside one process, and the index at which each of those last changed. A watch begins at the
 * store's present index, which may be higher than that of the last real change: the first wait can then respond once
 * too often, never too seldom.
 */
export class ChangeWatches {
  readonly #watches = new Map<string, Watch>();
  #closed = false;

  /** The index of what the watch `name` covers. */
  indexOf(name: string): number | undefined {
    return this.#watches.get(name)?.index;
  }

  keyWatch(key: string, presentIndex: number): string {
    const name = `key ${key}`;
    this.#add(name, (changed) => changed === key, presentIndex);
    return name;
  }

  prefixWatch(prefix: string, presentIndex: number): string {
    const name = `prefix ${prefix}`;
    this.#add(name, (changed) => changed.startsWith(prefix), presentIndex);
    return name;
  }

  /** Called after the commit: who reads when woken sees what was written. */
  changed(keys: Iterable<string>, index: number): void {
    const woken = new Set<Watch>();
    for (const key of keys) {
      for (const watch of this.#watches.values()) if (watch.matches(key)) woken.add(watch);
    }
    for (const watch of woken) {
      watch.index = index;
      for (const wake of [...watch.waiters]) wake();
    }
  }

  /** Resolves when the watch's index is another than `afterIndex`, or after `holdMs`. Rejects with the signal's reason. */
  async wait(name: string, afterIndex: number, holdMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const watch = this.#watches.get(name);
    if (watch === undefined || watch.index !== afterIndex || this.#closed) return this.#refuseWhenClosed();
    await new Promise<void>((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        watch.waiters.delete(wake);
        finish();
      };
      const wake = () => settle(resolve);
      const onAbort = () => settle(() => reject(signal.reason));
      const timer = setTimeout(wake, holdMs);
      watch.waiters.add(wake);
      signal.addEventListener('abort', onAbort, { once: true });
    });
    this.#refuseWhenClosed();
  }

  /** Wakes everyone for the last time; their waits reject. */
  close(): void {
    this.#closed = true;
    for (const watch of this.#watches.values()) for (const wake of [...watch.waiters]) wake();
  }

  #add(name: string, matches: Watch['matches'], index: number): void {
    const known = this.#watches.get(name);
    // Least recently used first, for the eviction below.
    this.#watches.delete(name);
    this.#watches.set(name, known ?? { matches, index, waiters: new Set() });
    if (this.#watches.size <= mostWatches) return;
    for (const [oldName, old] of this.#watches) {
      if (old.waiters.size > 0 || oldName === name) continue;
      this.#watches.delete(oldName);
      return;
    }
  }

  #refuseWhenClosed(): void {
    if (this.#closed) throw RegistryError.of('registry-unreachable', 'the embedded registry was closed');
  }
}
