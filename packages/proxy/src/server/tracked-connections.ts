import { pause } from '@swarmgate/runtime';

export interface DrainableConnection {
  drain(): void;
  destroy(): void;
}

/** The open connections of one protocol server, for its drain. */
export class TrackedConnections {
  readonly #open = new Set<DrainableConnection>();
  #onEmpty: (() => void) | undefined;
  #draining = false;

  /** From the call of `drain` on. */
  get draining(): boolean {
    return this.#draining;
  }

  add(connection: DrainableConnection): void {
    this.#open.add(connection);
  }

  remove(connection: DrainableConnection): void {
    this.#open.delete(connection);
    if (this.#open.size === 0) this.#onEmpty?.();
  }

  /** Drains every connection; resolves when the last one is removed. At the deadline the remaining ones are destroyed. */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    for (const connection of this.#open) connection.drain();
    const over = new AbortController();
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      if (this.#open.size === 0) resolve();
    });
    await Promise.race([empty, pause(deadlineMs, over.signal)]);
    over.abort();
    for (const connection of this.#open) connection.destroy();
  }
}
