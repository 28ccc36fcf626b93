const empty = 0;
const leastCapacity = 64;

/**
 * Counts by whole-number key in two flat arrays (open addressing): 12 bytes a slot, at most 60 % of the slots in use. Holds
 * the latency buckets of all services together, so a service costs only the buckets that its requests fell into.
 */
export class CountingTable {
  #keys = new Uint32Array(leastCapacity);
  #counts = new Float64Array(leastCapacity);
  #shift = 32 - Math.log2(leastCapacity);
  #size = 0;

  /** Different keys that were counted. */
  get size(): number {
    return this.#size;
  }

  /** @param key from 0 to 2³² - 2 */
  add(key: number, count: number): void {
    const stored = key + 1;
    const keys = this.#keys;
    const mask = keys.length - 1;
    let slot = Math.imul(stored, 0x9e3779b1) >>> this.#shift;
    for (;;) {
      const found = keys[slot];
      if (found === stored) {
        this.#counts[slot] = (this.#counts[slot] as number) + count;
        return;
      }
      if (found === empty) break;
      slot = (slot + 1) & mask;
    }
    keys[slot] = stored;
    this.#counts[slot] = count;
    this.#size += 1;
    if (this.#size * 10 > keys.length * 6) this.#grow();
  }

  /** 0 for a key that was never counted. */
  get(key: number): number {
    const stored = key + 1;
    const mask = this.#keys.length - 1;
    let slot = Math.imul(stored, 0x9e3779b1) >>> this.#shift;
    for (;;) {
      const found = this.#keys[slot];
      if (found === stored) return this.#counts[slot] as number;
      if (found === empty) return 0;
      slot = (slot + 1) & mask;
    }
  }

  /** All keys in ascending order. */
  sortedKeys(): Uint32Array {
    const sorted = this.#keys.filter((stored) => stored !== empty).sort();
    for (let at = 0; at < sorted.length; at += 1) sorted[at] = (sorted[at] as number) - 1;
    return sorted;
  }

  #grow(): void {
    const [keys, counts] = [this.#keys, this.#counts];
    this.#keys = new Uint32Array(keys.length * 2);
    this.#counts = new Float64Array(keys.length * 2);
    this.#shift -= 1;
    this.#size = 0;
    for (let slot = 0; slot < keys.length; slot += 1) {
      const stored = keys[slot] as number;
      if (stored !== empty) this.add(stored - 1, counts[slot] as number);
    }
  }
}
