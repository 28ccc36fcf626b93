/**
 * Identifies one change in progress. A node with the same edit was created during this change and is not shared yet,
 * so it may be written in place; anything else is copied first.
 */
export type Edit = object;

/**
 * An immutable map of strings in shards, so that changing one entry among 100,000 copies some dozens. Reads cost a
 * native `Map.get` and a hash of a few characters.
 */
export class PersistentMap<V> {
  readonly size: number;
  readonly #shards: readonly Shard<V>[];

  private constructor(shards: readonly Shard<V>[], size: number) {
    this.#shards = shards;
    this.size = size;
  }

  static empty<V>(): PersistentMap<V> {
    return new PersistentMap<V>([new Shard(undefined)], 0);
  }

  get(key: string): V | undefined {
    if (this.size === 0) return undefined;
    const shards = this.#shards;
    const shard = shards.length === 1 ? shards[0] : shards[shardOf(key, shards.length)];
    return (shard as Shard<V>).get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** `undefined` removes. */
  set(key: string, value: V | undefined, edit: Edit): PersistentMap<V> {
    const at = shardOf(key, this.#shards.length);
    const shard = this.#shards[at] as Shard<V>;
    const had = shard.has(key);
    if (value === undefined && !had) return this;
    const own = shard.edit === edit ? shard : new Shard(edit, shard);
    if (value === undefined) own.delete(key);
    else own.set(key, value);
    const size = this.size + (value === undefined ? -1 : had ? 0 : 1);
    if (size > this.#shards.length * MOST_PER_SHARD) return PersistentMap.#spread(this.#replaced(at, own), size, edit);
    return new PersistentMap(this.#replaced(at, own), size);
  }

  *values(): IterableIterator<V> {
    for (const shard of this.#shards) yield* shard.values();
  }

  *keys(): IterableIterator<string> {
    for (const shard of this.#shards) yield* shard.keys();
  }

  #replaced(at: number, shard: Shard<V>): readonly Shard<V>[] {
    return this.#shards[at] === shard ? this.#shards : this.#shards.with(at, shard);
  }

  static #spread<V>(from: readonly Shard<V>[], size: number, edit: Edit): PersistentMap<V> {
    const shards = Array.from({ length: from.length * GROWTH }, () => new Shard<V>(edit));
    for (const shard of from) {
      for (const [key, value] of shard) shards[shardOf(key, shards.length)]?.set(key, value);
    }
    return new PersistentMap(shards, size);
  }
}

/** A map, not an object that has one: at 100,000 entries every object on the way to a value is a miss of the cache. */
class Shard<V> extends Map<string, V> {
  readonly edit: Edit | undefined;

  constructor(edit: Edit | undefined, entries?: Iterable<readonly [string, V]>) {
    super(entries);
    this.edit = edit;
  }
}

/** Powers of two. Together they make 16 to 64 entries in each shard once there are several. */
const MOST_PER_SHARD = 64;
const GROWTH = 4;

/**
 * Names of services and hosts share their beginnings and endings, and numbers differ at the end of the first label, so
 * characters are taken from all over, at most 16 of them.
 */
function shardOf(key: string, shards: number): number {
  if (shards === 1) return 0;
  const length = key.length;
  const step = length <= 16 ? 1 : length / 16;
  let hash = length;
  for (let at = 0; at < length; at += step) hash = (Math.imul(hash, 31) + key.charCodeAt(at | 0)) | 0;
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  hash ^= hash >>> 13;
  return hash & (shards - 1);
}
