import type { LiveBatch, Watch } from './live-tail.ts';

/** Watches of one proxy, over the processes that serve: each gets every watch, and its batches find their way back. */
export class LiveWatches {
  readonly #start: (id: number, watch: Watch) => void;
  readonly #end: (id: number) => void;
  readonly #watches = new Map<number, { readonly watch: Watch; readonly onBatch: (batch: LiveBatch) => void }>();
  #ids = 0;

  constructor(start: (id: number, watch: Watch) => void, end: (id: number) => void) {
    this.#start = start;
    this.#end = end;
  }

  /** Returns the way to end it. */
  add(watch: Watch, onBatch: (batch: LiveBatch) => void): () => void {
    this.#ids += 1;
    const id = this.#ids;
    this.#watches.set(id, { watch, onBatch });
    this.#start(id, watch);
    return () => {
      if (this.#watches.delete(id)) this.#end(id);
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
