import { type Edit, PersistentMap } from './persistent-map.ts';

/**
 * Texts that are beginnings or endings of others, by length: finding those that fit costs one look for each length
 * that occurs, however many texts there are. Immutable.
 */
export class LengthIndex<V> {
  readonly #values: PersistentMap<V>;
  readonly #counts: readonly LengthCount[];

  private constructor(values: PersistentMap<V>, counts: readonly LengthCount[]) {
    this.#values = values;
    this.#counts = counts;
  }

  static empty<V>(): LengthIndex<V> {
    return new LengthIndex<V>(PersistentMap.empty(), []);
  }

  /** Longest first. */
  get lengths(): readonly LengthCount[] {
    return this.#counts;
  }

  get size(): number {
    return this.#values.size;
  }

  get(text: string): V | undefined {
    return this.#values.get(text);
  }

  values(): IterableIterator<V> {
    return this.#values.values();
  }

  /** `undefined` removes. */
  set(text: string, value: V | undefined, edit: Edit): LengthIndex<V> {
    const before = this.#values.size;
    const values = this.#values.set(text, value, edit);
    const change = values.size - before;
    return new LengthIndex(values, change === 0 ? this.#counts : counted(this.#counts, text.length, change));
  }
}

interface LengthCount {
  readonly length: number;
  readonly count: number;
}

function counted(counts: readonly LengthCount[], length: number, change: number): readonly LengthCount[] {
  const at = counts.findIndex((entry) => entry.length <= length);
  const here = at === -1 ? undefined : counts[at];
  if (here?.length !== length) return counts.toSpliced(at === -1 ? counts.length : at, 0, { length, count: change });
  const count = here.count + change;
  return count === 0 ? counts.toSpliced(at, 1) : counts.with(at, { length, count });
}
