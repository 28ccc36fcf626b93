import { pause } from '@swarmgate/runtime';
import type { Indexed } from './key-value-store.ts';
import { holdMs } from './store-limits.ts';

// How late a first key is noticed at most.
const betweenLooksMs = 200;
// Of places; for a further one a query that found nothing is served once more than necessary.
const mostPlaces = 64;

/**
 * Polls keys and prefixes that are empty, instead of querying them without a pause. Consul responds to a blocking query on a
 * missing key or an empty prefix after every write anywhere: with 10,000 services that is most of what a query would do.
 */
export class EmptyKeyPolling {
  /** By key or prefix: the index at which nothing was there. */
  readonly #emptyAt = new Map<string, number>();

  /** Sends the query again, every 200 ms and until its hold time is over, while there was nothing before and is nothing now. */
  async wait<T>(
    place: string,
    afterIndex: number,
    signal: AbortSignal,
    query: (afterIndex: number, waitMs: number) => Promise<Indexed<T>>,
    isEmpty: (data: T) => boolean,
  ): Promise<Indexed<T>> {
    const endsAtMs = performance.now() + holdMs;
    let index = afterIndex;
    let leftMs = holdMs;
    for (;;) {
      const wasEmpty = this.#emptyAt.get(place) === index;
      const response = await query(index, leftMs);
      this.#emptyAt.delete(place);
      if (!isEmpty(response.data)) return response;
      this.#remember(place, response.index);
      leftMs = Math.floor(endsAtMs - performance.now() - betweenLooksMs);
      if (!wasEmpty || response.index <= index || leftMs <= 0) return response;
      index = response.index;
      if (!(await pause(betweenLooksMs, signal))) throw signal.reason;
    }
  }

  #remember(place: string, index: number): void {
    this.#emptyAt.set(place, index);
    const [oldest] = this.#emptyAt.keys();
    if (this.#emptyAt.size > mostPlaces && oldest !== undefined) this.#emptyAt.delete(oldest);
  }
}
