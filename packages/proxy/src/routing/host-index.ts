import type { RequestTarget } from '../model/request-target.ts';
import { HostBucket } from './host-bucket.ts';
import type { HostPattern } from './host-pattern.ts';
import { LengthIndex } from './length-index.ts';
import type { Conflict, MatchKey } from './match-key.ts';
import type { MatchRule } from './match-rule.ts';
import type { MatchingOrder } from './matching-order.ts';
import { nameRank } from './name-rank.ts';
import { type Edit, PersistentMap } from './persistent-map.ts';

/** All match keys of one phase by host: exact hosts in a map, wildcards and `hdr_*` by length, then any host. Immutable. */
export class HostIndex {
  readonly #order: MatchingOrder;
  /** Whether the search stops at the first class of hosts with a fitting match key. */
  readonly #byHost: boolean;
  readonly #buckets: Buckets;

  private constructor(order: MatchingOrder, byHost: boolean, buckets: Buckets) {
    this.#order = order;
    this.#byHost = byHost;
    this.#buckets = buckets;
  }

  /** @param byHost `false` where any host may outrank an exact one: in `legacy` order, and for ACME challenges */
  static empty(order: MatchingOrder, byHost: boolean): HostIndex {
    return new HostIndex(order, byHost, {
      exact: PersistentMap.empty(),
      wildcard: LengthIndex.empty(),
      suffix: LengthIndex.empty(),
      beg: LengthIndex.empty(),
      end: LengthIndex.empty(),
      dom: PersistentMap.empty(),
      any: undefined,
    });
  }

  get isEmpty(): boolean {
    const { exact, wildcard, suffix, beg, end, dom, any } = this.#buckets;
    return any === undefined && [exact, wildcard, suffix, beg, end, dom].every(({ size }) => size === 0);
  }

  /** The match key of a rule. */
  find({ host, path }: MatchRule): MatchKey | undefined {
    return this.#bucketOf(host)?.find(path);
  }

  /** Replaces the match key of a rule; `undefined` removes it. */
  set(rule: MatchRule, matchKey: MatchKey | undefined, edit: Edit): HostIndex {
    const bucket = (this.#bucketOf(rule.host) ?? HostBucket.empty(this.#order)).set(rule.path, matchKey, edit);
    return new HostIndex(
      this.#order,
      this.#byHost,
      withBucket(this.#buckets, rule.host, bucket.isEmpty ? undefined : bucket, edit),
    );
  }

  best(target: RequestTarget): Conflict | undefined {
    const { exact, any } = this.#buckets;
    const stop = this.#byHost;
    let found = exact.get(target.host)?.best(target, undefined);
    if (found !== undefined && stop) return found;
    found = this.#bestWildcard(target, found);
    if (found !== undefined && stop) return found;
    found = this.#bestByAlgorithm(target, found);
    if (found !== undefined && stop) return found;
    return any === undefined ? found : any.best(target, found);
  }

  /** The hosts that fit a name, each with its rank. */
  *hostsOf(name: string): IterableIterator<readonly [rank: number, host: HostBucket]> {
    const { exact, wildcard, suffix, end, beg, dom, any } = this.#buckets;
    const same = exact.get(name);
    if (same !== undefined) yield [nameRank.exact, same];
    for (const index of [wildcard, suffix, end])
      for (const { length } of index.lengths) {
        const ending = length <= name.length ? name.slice(-length) : '';
        const found = index.get(ending);
        // The text of a wildcard begins with the dot: it does not stand for the domain itself.
        if (found !== undefined && (index !== wildcard || length < name.length)) yield [nameRank.ending(ending), found];
      }
    for (const { length } of beg.lengths) {
      const found = beg.get(name.slice(0, length));
      if (found !== undefined) yield [nameRank.beginning(name.slice(0, length)), found];
    }
    if (dom.size > 0)
      for (const labels of consecutiveLabels(name)) {
        const found = dom.get(labels);
        if (found !== undefined) yield [nameRank.inside(labels), found];
      }
    if (any !== undefined) yield [nameRank.any, any];
  }

  #bestWildcard(target: RequestTarget, best: Conflict | undefined): Conflict | undefined {
    const { wildcard, suffix } = this.#buckets;
    const { host } = target;
    let found = best;
    for (const { length } of wildcard.lengths) {
      // The texts begin with the dot, so only label borders need a look.
      if (host.charCodeAt(host.length - length) !== DOT) continue;
      found = wildcard.get(host.slice(-length))?.best(target, found) ?? found;
      if (found !== undefined && this.#byHost) break;
    }
    for (const { length } of suffix.lengths) {
      if (length <= host.length) found = suffix.get(host.slice(-length))?.best(target, found) ?? found;
    }
    return found;
  }

  #bestByAlgorithm(target: RequestTarget, best: Conflict | undefined): Conflict | undefined {
    const { beg, end, dom } = this.#buckets;
    const { host } = target;
    let found = best;
    for (const { length } of beg.lengths) {
      if (length <= host.length) found = beg.get(host.slice(0, length))?.best(target, found) ?? found;
    }
    for (const { length } of end.lengths) {
      if (length <= host.length) found = end.get(host.slice(-length))?.best(target, found) ?? found;
    }
    if (dom.size > 0) {
      for (const labels of consecutiveLabels(host)) found = dom.get(labels)?.best(target, found) ?? found;
    }
    return found;
  }

  #bucketOf(host: HostPattern): HostBucket | undefined {
    return host.kind === 'any' ? this.#buckets.any : this.#buckets[host.kind].get(host.text);
  }
}

interface Buckets {
  readonly exact: PersistentMap<HostBucket>;
  readonly wildcard: LengthIndex<HostBucket>;
  readonly suffix: LengthIndex<HostBucket>;
  readonly beg: LengthIndex<HostBucket>;
  readonly end: LengthIndex<HostBucket>;
  readonly dom: PersistentMap<HostBucket>;
  readonly any: HostBucket | undefined;
}

const DOT = 0x2e;

function withBucket(buckets: Buckets, host: HostPattern, bucket: HostBucket | undefined, edit: Edit): Buckets {
  return host.kind === 'any'
    ? { ...buckets, any: bucket }
    : { ...buckets, [host.kind]: buckets[host.kind].set(host.text, bucket, edit) };
}

/** `a.b.c`, `a.b`, `a`, `b.c`, `b`, `c`. A host has at most 127 labels, and few have more than five. */
function* consecutiveLabels(host: string): IterableIterator<string> {
  for (let from = 0; from < host.length; from = nextLabel(host, from)) {
    for (let to = host.length; to > from; to = host.lastIndexOf('.', to - 1)) yield host.slice(from, to);
  }
}

function nextLabel(host: string, from: number): number {
  const dot = host.indexOf('.', from);
  return dot === -1 ? host.length : dot + 1;
}
