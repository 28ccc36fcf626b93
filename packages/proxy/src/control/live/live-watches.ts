import type { LiveBatch, Watch } from './live-tail.ts';

/** Where requests pass through: one process, or all workers. */
export interface WatchedProcesses {
  watch(id: number, watch: Watch): void;
  unwatch(id: number): void;
}

/** Watches of one proxy, over the processes that serve: each gets every watch, and its batches find their way back. */
export class LiveWatches {
  readonly #watches = new Map<number, { readonly watch: Watch; readonly onBatch: (batch: LiveBatch) => void }>();
  #processes: WatchedProcesses | undefined;
  #ids = 0;

  /** From now on these processes get each watch; called once, before the first. */
  over(processes: WatchedProcesses): void {
    this.#processes = processes;
  }

  /** Returns the way to end it. */
  add(watch: Watch, onBatch: (batch: LiveBatch) => void): () => void {
    this.#ids += 1;
    const id = this.#ids;
    this.#watches.set(id, { watch, onBatch });
    this.#processes?.watch(id, watch);
    return () => {
      if (this.#watches.delete(id)) this.#processes?.unwatch(id);
    };
  }

  /** A process reported a batch. */
  take(id: number, batch: LiveBatch): void {
    this.#watches.get(id)?.onBatch(batch);
  }

  /** For a process that begins to serve. */
  *all(): Iterable<readonly [id: number, watch: Watch]> {
    for (const [id, { watch }] of this.#watches) yield [id, watch];
  }
}
