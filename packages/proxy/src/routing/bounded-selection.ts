/** The first `limit` of many in an order, without sorting them all. */
export class BoundedSelection<T> {
  /** How many were offered that did not fit. */
  omitted = 0;
  readonly #limit: number;
  readonly #compare: (one: T, other: T) => number;
  readonly #kept: T[] = [];

  constructor(limit: number, compare: (one: T, other: T) => number) {
    this.#limit = limit;
    this.#compare = compare;
  }

  offer(item: T): void {
    const kept = this.#kept;
    if (kept.length >= this.#limit) {
      this.omitted += 1;
      const last = kept[kept.length - 1];
      if (last === undefined || this.#compare(item, last) >= 0) return;
      kept.pop();
    }
    kept.splice(this.#placeFor(item), 0, item);
  }

  /** In order. */
  kept(): readonly T[] {
    return this.#kept;
  }

  #placeFor(item: T): number {
    let [low, high] = [0, this.#kept.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(this.#kept[middle] as T, item) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
