import { pause } from '@swarmgate/runtime';
import type { Indexed } from './key-value-store.ts';
import { holdMs } from './store-limits.ts';

// How late, at most, something is noticed where there was nothing.
const betweenLooksMs = 200;
// Who waits for more places than these is told of nothing once more than necessary.
const mostPlaces = 64;

/**
 * Waits where nothing stands. Whoever waits for a missing key or an empty prefix is woken by Consul with every write
 * anywhere, only to be told again that nothing is there: with ten thousand services that is most of what it would do.
 */
export class QuietWaits {
  /** By key or prefix: the index at which nothing was there. */
  readonly #nothingAt = new Map<string, number>();

  /** Asks again, now and then and until the hold is over, while the answer goes from nothing to nothing. */
  async wait<T>(
    place: string,
    afterIndex: number,
    signal: AbortSignal,
    ask: (afterIndex: number, waitMs: number) => Promise<Indexed<T>>,
    isNothing: (data: T) => boolean,
  ): Promise<Indexed<T>> {
    const endsAtMs = performance.now() + holdMs;
    let index = afterIndex;
    let leftMs = holdMs;
    for (;;) {
      const wasNothing = this.#nothingAt.get(place) === index;
      const answer = await ask(index, leftMs);
      this.#nothingAt.delete(place);
      if (!isNothing(answer.data)) return answer;
      this.#remember(place, answer.index);
      leftMs = Math.floor(endsAtMs - performance.now() - betweenLooksMs);
      if (!wasNothing || answer.index <= index || leftMs <= 0) return answer;
      index = answer.index;
      if (!(await pause(betweenLooksMs, signal))) throw signal.reason;
    }
  }

  #remember(place: string, index: number): void {
    this.#nothingAt.set(place, index);
    const [oldest] = this.#nothingAt.keys();
    if (this.#nothingAt.size > mostPlaces && oldest !== undefined) this.#nothingAt.delete(oldest);
  }
}
