import { pause } from '@swarmgate/runtime';

export interface DrainableConnection {
  /** -1 while it is not tracked. For `TrackedConnections` alone. */
  trackPlace: number;
  drain(): void;
  destroy(): void;
}

/** The open connections of one protocol server, for its drain. */
export class TrackedConnections {
  /** Unordered. Not a Set: with a connection for each request, all that ever were in it grew old with it, see `StreamTable`. */
  readonly #open: DrainableConnection[] = [];
  #onEmpty: (() => void) | undefined;
  #draining = false;

  /** From the call of `drain` on. */
  get draining(): boolean {
    return this.#draining;
  }

  get count(): number {
    return this.#open.length;
  }

  add(connection: DrainableConnection): void {
    connection.trackPlace = this.#open.push(connection) - 1;
  }

  /** A connection that is not tracked, or no longer, is passed over. */
  remove(connection: DrainableConnection): void {
    const place = connection.trackPlace;
    if (place === -1) return;
    connection.trackPlace = -1;
    const last = this.#open.pop() as DrainableConnection;
    if (last !== connection) {
      this.#open[place] = last;
      last.trackPlace = place;
    }
    if (this.#open.length === 0) this.#onEmpty?.();
  }

  /** Drains every connection; resolves when the last one is removed. At the deadline the remaining ones are destroyed. */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    // One that is drained may be removed at once, and another one takes its place.
    for (const connection of [...this.#open]) connection.drain();
    const over = new AbortController();
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      if (this.#open.length === 0) resolve();
    });
    await Promise.race([empty, pause(deadlineMs, over.signal)]);
    over.abort();
    for (const connection of [...this.#open]) connection.destroy();
  }
}
