import type { RequestTarget } from '../model/request-target.ts';
import type { Route } from '../model/route.ts';
import { type Conditions, firstFailed } from './conditions.ts';
import type { MatchRule } from './match-rule.ts';
import type { MatchingOrder } from './matching-order.ts';
import type { PathPattern } from './path-pattern.ts';

/**
 * One host with one path, and all match rules for it. The first conflict, nearly always the only one, is a field of its
 * own: in a large table each array on the way to a route is a cache miss.
 */
export interface MatchKey {
  readonly path: PathPattern;
  /** In an order by match keys, the rank of all of its match rules. */
  readonly rank: number;
  readonly first: Conflict;
  /** In matching order, after the first. */
  readonly others: readonly Conflict[];
}

/** In matching order; at least one. */
export function conflictsOf({ first, others }: MatchKey): readonly Conflict[] {
  return others.length === 0 ? [first] : [first, ...others];
}

/** Match rules with one match key and equal conditions: one takes the requests, or several share them by weight. */
export interface Conflict {
  readonly winner: MatchRule;
  /** The conditions of every rule of the conflict. This and the next fields are copies, because every lookup reads them. */
  readonly conditions: Conditions;
  /** The winner's route if neither method nor weight matters. */
  readonly direct: Route | undefined;
  /** Rules that share the requests, the winner included; empty if the winner takes all of them. */
  readonly shares: readonly MatchRule[];
  readonly totalWeight: number;
  /** The other rules, in order of precedence. */
  readonly competing: readonly MatchRule[];
}

/** In order of precedence: the first is the winner. */
function rulesOf({ winner, competing }: Conflict): readonly MatchRule[] {
  return [winner, ...competing];
}

export function addRule(matchKey: MatchKey | undefined, rule: MatchRule, order: MatchingOrder): MatchKey {
  const existing = matchKey && conflictOf(matchKey, rule);
  const matchRules = existing === undefined ? [rule] : [...rulesOf(existing), rule].sort(order.compareCompeting);
  return withConflict(matchKey, existing, resolve(matchRules, order), order);
}

/** `undefined` if no rule is left. */
export function removeRule(matchKey: MatchKey, rule: MatchRule, order: MatchingOrder): MatchKey | undefined {
  const existing = conflictOf(matchKey, rule);
  const matchRules = existing === undefined ? [] : rulesOf(existing).filter((other) => other !== rule);
  if (matchRules.length > 0) return withConflict(matchKey, existing, resolve(matchRules, order), order);
  const [first, ...others] = conflictsOf(matchKey).filter((conflict) => conflict !== existing);
  return first && { path: matchKey.path, rank: matchKey.rank, first, others };
}

/** The conflict that a rule takes part in. */
export function conflictOf(matchKey: MatchKey, rule: MatchRule): Conflict | undefined {
  const { identity } = rule.of.conditions;
  return conflictsOf(matchKey).find(({ conditions }) => conditions.identity === identity);
}

/** The first conflict whose conditions fit the request; the method is not compared. */
export function firstFitting(matchKey: MatchKey, target: RequestTarget): Conflict | undefined {
  if (isFit(matchKey.first, target)) return matchKey.first;
  for (const conflict of matchKey.others) if (isFit(conflict, target)) return conflict;
  return undefined;
}

function isFit({ conditions }: Conflict, target: RequestTarget): boolean {
  return conditions.free || firstFailed(conditions, target) === undefined;
}

/** The rules of a conflict that get no requests. */
export function losersOf(conflict: Conflict): readonly MatchRule[] {
  if (conflict.competing.length === 0) return [];
  const serving = conflict.shares.length > 0 ? conflict.shares : [conflict.winner];
  // One route may have the same match key twice (`/a` and `/a/.`): it does not lose against itself.
  return rulesOf(conflict).filter((rule) => !serving.some((other) => other.of === rule.of));
}

function withConflict(
  matchKey: MatchKey | undefined,
  existing: Conflict | undefined,
  conflict: Conflict,
  order: MatchingOrder,
): MatchKey {
  const { path, rank } = conflict.winner;
  if (matchKey === undefined) return { path, rank, first: conflict, others: none };
  const [first = conflict, ...others] = conflictsOf(matchKey)
    .filter((other) => other !== existing)
    .concat(conflict)
    .sort((one, other) => order.compare(one.winner, other.winner));
  return { path: matchKey.path, rank: matchKey.rank, first, others };
}

/**
 * Requests are shared only if the winner has a weight too: a service cannot take a part of another service's traffic by
 * its own label alone.
 */
function resolve(matchRules: readonly MatchRule[], order: MatchingOrder): Conflict {
  const winner = matchRules[0] as MatchRule;
  const { conditions, route } = winner.of;
  const anyMethod = conditions.allowedMethods === undefined && conditions.deniedMethods === undefined;
  const alone: Conflict = {
    winner,
    conditions,
    direct: anyMethod ? route : undefined,
    shares: none,
    totalWeight: 0,
    competing: matchRules.length === 1 ? none : matchRules.slice(1),
  };
  if (matchRules.length === 1 || weightOf(winner) === undefined) return alone;
  const shares = matchRules
    .filter((rule, at) => weightOf(rule) !== undefined && matchRules.findIndex((one) => sameService(one, rule)) === at)
    .toSorted(order.compare);
  const totalWeight = shares.reduce((sum, rule) => sum + (weightOf(rule) ?? 0), 0);
  if (shares.length === 1 || totalWeight === 0) return alone;
  return { ...alone, direct: undefined, shares, totalWeight };
}

/** One shared array: most match keys need an empty one, and there are as many match keys as routes. */
const none: readonly never[] = [];

/** @param random at least 0, below 1 */
export function chooseShare(conflict: Conflict, random: number): MatchRule {
  let left = random * conflict.totalWeight;
  for (const rule of conflict.shares) {
    left -= weightOf(rule) ?? 0;
    if (left < 0) return rule;
  }
  return conflict.winner;
}

function weightOf(rule: MatchRule): number | undefined {
  return rule.of.route.definition.weight;
}

function sameService(one: MatchRule, other: MatchRule): boolean {
  return one.of.route.key === other.of.route.key;
}
