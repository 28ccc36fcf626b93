export interface StreamPlacesOptions {
  readonly most: number;
  /** A younger stream keeps its place, in milliseconds. Default 60,000. */
  readonly keptMs?: number;
  /** Monotonic, in milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

interface Place {
  readonly address: string;
  readonly sinceMs: number;
  readonly end: () => void;
}

/**
 * Places for streams that last. A client that reads nothing looks like one to which little is sent: the system's buffers take
 * that. So no stream has its place for good: where all are taken, a new one gets that of the oldest stream of the
 * address with the most, which is ended; its client goes on with another stream where it lives.
 */
export class StreamPlaces {
  readonly #most: number;
  readonly #keptMs: number;
  readonly #now: () => number;
  /** The oldest first. */
  readonly #places = new Set<Place>();

  constructor({ most, keptMs = 60_000, now = () => performance.now() }: StreamPlacesOptions) {
    this.#most = most;
    this.#keptMs = keptMs;
    this.#now = now;
  }

  get most(): number {
    return this.#most;
  }

  /**
   * @param end ends this stream, called at most once, when another gets its place
   * @returns gives the place back; `undefined`: none is free, and none may be taken away yet
   */
  take(address: string, end: () => void): (() => void) | undefined {
    if (this.#places.size >= this.#most && !this.#free()) return undefined;
    const place = { address, sinceMs: this.#now(), end };
    this.#places.add(place);
    return () => {
      this.#places.delete(place);
    };
  }

  #free(): boolean {
    const counts = new Map<string, number>();
    for (const { address } of this.#places) counts.set(address, (counts.get(address) ?? 0) + 1);
    const most = Math.max(...counts.values());
    for (const place of this.#places) {
      if (counts.get(place.address) !== most) continue;
      if (this.#now() - place.sinceMs < this.#keptMs) return false;
      this.#places.delete(place);
      place.end();
      return true;
    }
    return false;
  }
}
