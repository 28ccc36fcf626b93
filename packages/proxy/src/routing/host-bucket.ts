import type { RequestTarget } from '../model/request-target.ts';
import { LengthIndex } from './length-index.ts';
import { type Conflict, conflictsOf, firstFitting, type MatchKey } from './match-key.ts';
import type { CompiledRoute } from './match-rule.ts';
import type { MatchingOrder } from './matching-order.ts';
import type { PathPattern } from './path-pattern.ts';
import { isSamePath, pathMatches } from './path-pattern.ts';
import { type Edit, PersistentMap } from './persistent-map.ts';

/**
 * All match keys of one host. Up to six are tried one after the other; with more, whole paths and prefixes
 * move into an index (a tree of segments, kept flat: one entry for each prefix), and only what cannot be indexed —
 * `path_end`, `path_dir`, `path_sub`, `path_reg` — is still tried in turn. Immutable.
 */
export class HostBucket {
  readonly #order: MatchingOrder;
  /** The first match key that is tried. A field of its own: most hosts have one, and an array costs two reads more. */
  readonly #first: MatchKey | undefined;
  /** In rank order, `#first` among them; empty where it is alone. */
  readonly #all: readonly MatchKey[];
  readonly #asSent: PathIndex | undefined;
  readonly #folded: PathIndex | undefined;

  private constructor(
    order: MatchingOrder,
    tried: readonly MatchKey[],
    asSent: PathIndex | undefined,
    folded: PathIndex | undefined,
  ) {
    this.#order = order;
    this.#first = tried[0];
    this.#all = tried.length > 1 ? tried : none;
    this.#asSent = asSent;
    this.#folded = folded;
  }

  static empty(order: MatchingOrder): HostBucket {
    return new HostBucket(order, [], undefined, undefined);
  }

  get isEmpty(): boolean {
    return this.#first === undefined && this.#asSent === undefined && this.#folded === undefined;
  }

  find(path: PathPattern): MatchKey | undefined {
    const indexed = isIndexable(path) ? this.#indexFor(path)?.find(path) : undefined;
    return indexed ?? this.#tried.find((matchKey) => isSamePath(matchKey.path, path));
  }

  /** Replaces the match key with that path; `undefined` removes it. */
  set(path: PathPattern, matchKey: MatchKey | undefined, edit: Edit): HostBucket {
    const isIndexed = this.#asSent !== undefined || this.#folded !== undefined;
    if (isIndexed && isIndexable(path)) return this.#withIndexed(path, matchKey, edit);
    // One pass: a host with thousands of expressions has as many to copy for each that is added.
    const tried: MatchKey[] = [];
    let added = matchKey;
    for (const other of this.#tried) {
      if (isSamePath(other.path, path)) continue;
      if (added !== undefined && other.rank > added.rank) {
        tried.push(added);
        added = undefined;
      }
      tried.push(other);
    }
    if (added !== undefined) tried.push(added);
    const bucket = new HostBucket(this.#order, tried, this.#asSent, this.#folded);
    return isIndexed || tried.length <= FEW ? bucket : bucket.#indexed(edit);
  }

  /** The better of `best` and the first conflict of this host that fits the request. */
  best(target: RequestTarget, best: Conflict | undefined): Conflict | undefined {
    let found = best;
    if (this.#asSent) found = this.#asSent.best(target, target.path, found);
    if (this.#folded) found = this.#folded.best(target, target.path.toLowerCase(), found);
    const first = this.#first;
    if (first === undefined || this.#isBehind(first, found)) return found;
    found = this.#try(first, target, found);
    for (let at = 1; at < this.#all.length; at++) {
      const matchKey = this.#all[at] as MatchKey;
      if (this.#isBehind(matchKey, found)) break;
      found = this.#try(matchKey, target, found);
    }
    return found;
  }

  #isBehind(matchKey: MatchKey, found: Conflict | undefined): boolean {
    return found !== undefined && this.#order.byMatchKey && matchKey.rank > found.winner.rank;
  }

  #try(matchKey: MatchKey, target: RequestTarget, found: Conflict | undefined): Conflict | undefined {
    return pathMatches(matchKey.path, target.path) ? better(this.#order, found, firstFitting(matchKey, target)) : found;
  }

  /** The routes of all rules of the host, some more than once. */
  *routes(): Generator<CompiledRoute, undefined> {
    for (const matchKeys of [this.#tried, this.#asSent?.matchKeys() ?? none, this.#folded?.matchKeys() ?? none])
      for (const matchKey of matchKeys)
        for (const { winner, competing } of conflictsOf(matchKey)) {
          yield winner.of;
          for (const { of } of competing) yield of;
        }
  }

  get #tried(): readonly MatchKey[] {
    if (this.#all.length > 0) return this.#all;
    return this.#first === undefined ? none : [this.#first];
  }

  #indexFor(path: PathPattern): PathIndex | undefined {
    return path.folded ? this.#folded : this.#asSent;
  }

  #withIndexed(path: PathPattern, matchKey: MatchKey | undefined, edit: Edit): HostBucket {
    const changed = (this.#indexFor(path) ?? PathIndex.empty(this.#order)).set(path, matchKey, edit);
    const index = changed.size === 0 ? undefined : changed;
    return path.folded
      ? new HostBucket(this.#order, this.#tried, this.#asSent, index)
      : new HostBucket(this.#order, this.#tried, index, this.#folded);
  }

  #indexed(edit: Edit): HostBucket {
    const still = this.#tried.filter(({ path }) => !isIndexable(path));
    let bucket = new HostBucket(this.#order, still, undefined, undefined);
    for (const matchKey of this.#tried) {
      if (isIndexable(matchKey.path)) bucket = bucket.#withIndexed(matchKey.path, matchKey, edit);
    }
    return bucket;
  }
}

/** Up to here, trying one after the other costs less than an index. */
const FEW = 6;

const none: readonly never[] = [];

export function better(
  order: MatchingOrder,
  one: Conflict | undefined,
  other: Conflict | undefined,
): Conflict | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return order.compare(one.winner, other.winner) <= 0 ? one : other;
}

function isIndexable({ kind }: PathPattern): boolean {
  return kind === 'exact' || kind === 'prefix' || kind === 'raw-prefix';
}

class PathIndex {
  readonly #order: MatchingOrder;
  readonly #exact: PersistentMap<MatchKey>;
  readonly #prefixes: LengthIndex<MatchKey>;

  private constructor(order: MatchingOrder, exact: PersistentMap<MatchKey>, prefixes: LengthIndex<MatchKey>) {
    this.#order = order;
    this.#exact = exact;
    this.#prefixes = prefixes;
  }

  static empty(order: MatchingOrder): PathIndex {
    return new PathIndex(order, PersistentMap.empty(), LengthIndex.empty());
  }

  get size(): number {
    return this.#exact.size + this.#prefixes.size;
  }

  *matchKeys(): IterableIterator<MatchKey> {
    yield* this.#exact.values();
    yield* this.#prefixes.values();
  }

  find(path: PathPattern): MatchKey | undefined {
    return path.kind === 'exact' ? this.#exact.get(path.text) : this.#prefixes.get(path.text);
  }

  set(path: PathPattern, matchKey: MatchKey | undefined, edit: Edit): PathIndex {
    return path.kind === 'exact'
      ? new PathIndex(this.#order, this.#exact.set(path.text, matchKey, edit), this.#prefixes)
      : new PathIndex(this.#order, this.#exact, this.#prefixes.set(path.text, matchKey, edit));
  }

  best(target: RequestTarget, path: string, best: Conflict | undefined): Conflict | undefined {
    let found = best;
    const whole = this.#exact.size === 0 ? undefined : this.#exact.get(path);
    if (whole !== undefined) {
      const fitting = firstFitting(whole, target);
      found = better(this.#order, found, fitting);
      if (fitting !== undefined && this.#order.byMatchKey) return found;
    }
    for (const { length } of this.#prefixes.lengths) {
      if (length > path.length || (this.#order.byMatchKey && !endsSegment(path, length))) continue;
      const matchKey = this.#prefixes.get(length === path.length ? path : path.slice(0, length));
      const fitting = matchKey && firstFitting(matchKey, target);
      if (fitting === undefined) continue;
      found = better(this.#order, found, fitting);
      if (this.#order.byMatchKey) return found;
    }
    return found;
  }
}

/** Whether `path` may be cut here: at its end, before a slash or after one. */
function endsSegment(path: string, length: number): boolean {
  return length === path.length || path.charCodeAt(length) === SLASH || path.charCodeAt(length - 1) === SLASH;
}

const SLASH = 0x2f;
