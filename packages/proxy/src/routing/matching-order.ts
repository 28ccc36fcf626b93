import type { HostPattern } from './host-pattern.ts';
import { type CompiledRoute, type MatchPhase, type MatchRule, matchKeyOf } from './match-rule.ts';
import type { PathPattern } from './path-pattern.ts';

export type OrderName = 'strict' | 'legacy';

/**
 * The order in which match rules are tried: the first that fits wins. Both orders are total: the order of arrival has no effect.
 *
 * `strict`: a path under `/.well-known/acme-challenge` (there, any host before all others); redirects; host exact >
 * longest wildcard > `hdr_*` algorithms > any host; path exact > longest prefix > longest `path_end`, `path_dir`,
 * `path_sub` > `path_reg`; more predicates; aclName; owner, service, index; for two rules of one route their texts.
 *
 * Rules with a `priority` are a table of their own, the highest number first, then as above. Where a rule of that table and
 * one without a priority fit a request, the more specific host and path decides; where these are equal, the one without.
 *
 * `legacy` (Docker Flow's): redirects; services with a path that begins with `/.well-known`; services with a path that
 * is exactly `/` last; aclName; owner, service, index.
 */
export interface MatchingOrder {
  readonly name: OrderName;
  /** The match keys of one phase are in rank order, so a search may stop at the first that fits. */
  readonly byMatchKey: boolean;
  rank(phase: MatchPhase, host: HostPattern, path: PathPattern, legacyClass: 0 | 1 | 2): number;
  compare(one: MatchRule, other: MatchRule): number;
  /** Order of precedence within a conflict: the oldest rule first, in `legacy` the first in matching order. */
  compareCompeting(one: MatchRule, other: MatchRule): number;
}

export const strictOrder: MatchingOrder = {
  name: 'strict',
  byMatchKey: true,
  rank: strictRank,
  compare: (one, other) =>
    one.rank - other.rank ||
    comparePriority(one, other) ||
    other.of.conditions.count - one.of.conditions.count ||
    compareText(one.of.aclName, other.of.aclName) ||
    compareIdentity(one.of, other.of) ||
    comparePlaces(one, other),
  compareCompeting: (one, other) =>
    one.of.route.destination.since - other.of.route.destination.since || compareIdentity(one.of, other.of),
};

export const legacyOrder: MatchingOrder = {
  name: 'legacy',
  byMatchKey: false,
  rank: (phase, _host, _path, legacyClass) => LEGACY_PHASES[phase] + (phase === 'prioritized' ? 0 : legacyClass),
  compare: compareLegacy,
  compareCompeting: compareLegacy,
};

/** `/.well-known/acme-challenge` and what is below it. */
export const acmePath = '/.well-known/acme-challenge';

function compareLegacy(one: MatchRule, other: MatchRule): number {
  return (
    one.rank - other.rank ||
    comparePriority(one, other) ||
    compareText(one.of.aclName, other.of.aclName) ||
    compareIdentity(one.of, other.of) ||
    comparePlaces(one, other)
  );
}

/** Between two rules of one route: the rule that a request matches decides which other routes may share it. */
function comparePlaces(one: MatchRule, other: MatchRule): number {
  return one === other ? 0 : compareText(matchKeyOf(one), matchKeyOf(other));
}

/** The higher number first. Only rules with a priority have one rank whatever their host and path. */
function comparePriority(one: MatchRule, other: MatchRule): number {
  if (one.phase !== 'prioritized' || other.phase !== 'prioritized') return 0;
  return priorityOf(other) - priorityOf(one);
}

export function priorityOf({ of }: MatchRule): number {
  return of.route.destination.priority ?? 0;
}

/** Smaller for a more specific host, then path: which of two rules comes first where only one has a priority. */
export function specificityRank({ host, path }: MatchRule): number {
  return strictRank('ordinary', host, path);
}

const PHASES: Readonly<Record<MatchPhase, number>> = { acme: 0, redirect: 1, prioritized: 2, ordinary: 3 };
const LEGACY_PHASES: Readonly<Record<MatchPhase, number>> = { acme: 0, redirect: 0, prioritized: 3, ordinary: 4 };
const HOST_CLASSES = { exact: 0, wildcard: 1, suffix: 1, beg: 2, end: 2, dom: 2, any: 3 } as const;
const PATH_CLASSES = { exact: 0, prefix: 1, 'raw-prefix': 1, end: 2, dir: 2, sub: 2, regex: 3 } as const;
const LONGEST_HOST = 0xff;
const LONGEST_PATH = 0x3fff;

function strictRank(phase: MatchPhase, host: HostPattern, path: PathPattern): number {
  if (phase === 'prioritized') return PHASES.prioritized * 5 * (LONGEST_HOST + 1) * 4 * (LONGEST_PATH + 1);
  const hostClass = phase === 'acme' && host.kind === 'any' ? -1 : HOST_CLASSES[host.kind];
  // Only wildcards are compared by length: an exact host has but one, and the algorithms go on to the path.
  const hostLength = host.kind === 'wildcard' || host.kind === 'suffix' ? shortness(host.text, LONGEST_HOST) : 0;
  const pathLength = path.kind === 'exact' || path.kind === 'regex' ? 0 : shortness(path.text, LONGEST_PATH);
  let rank = PHASES[phase] * 5 + hostClass + 1;
  rank = rank * (LONGEST_HOST + 1) + hostLength;
  rank = rank * 4 + PATH_CLASSES[path.kind];
  return rank * (LONGEST_PATH + 1) + pathLength;
}

function shortness(text: string, longest: number): number {
  return longest - Math.min(text.length, longest);
}

export function compareIdentity(one: CompiledRoute, other: CompiledRoute): number {
  return (
    compareText(one.route.definition.owner, other.route.definition.owner) ||
    compareText(one.route.definition.service, other.route.definition.service) ||
    one.route.destination.index - other.route.destination.index ||
    compareText(one.route.id, other.route.id)
  );
}

/** Bytewise for the names that are allowed, which are ASCII: the same on every machine, unlike a collation. */
export function compareText(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}
