import type { RequestTarget } from '../model/request-target.ts';
import type { Route } from '../model/route.ts';
import { type Conditions, firstFailed } from './conditions.ts';
import type { MatchRule } from './match-rule.ts';
import type { MatchingOrder } from './matching-order.ts';
import type { PathPattern } from './path-pattern.ts';

/**
 * One host with one path, and everybody who claims it. The first contest, which nearly always is the only one, stands
 * beside the others: in a large table each array on the way to a route is a miss of the processor's cache.
 */
export interface MatchKey {
  readonly path: PathPattern;
  /** In an order that goes by places, that of all its claims. */
  readonly rank: number;
  readonly first: Conflict;
  /** In matching order, after the first. */
  readonly others: readonly Conflict[];
}

/** In matching order; at least one. */
export function conflictsOf({ first, others }: MatchKey): readonly Conflict[] {
  return others.length === 0 ? [first] : [first, ...others];
}

/** Claims of one place under equal conditions: one keeps it, or several share it by weight. */
export interface Conflict {
  readonly winner: MatchRule;
  /** The winner's, and so everybody's here. Kept beside it, as what follows, because every lookup reads them. */
  readonly conditions: Conditions;
  /** The winner's route where neither a method nor a weight has a say. */
  readonly direct: Route | undefined;
  /** Those that share with the winner, itself included; empty when it stands alone. */
  readonly shares: readonly MatchRule[];
  readonly totalWeight: number;
  /** The other claims, by right of precedence. */
  readonly competing: readonly MatchRule[];
}

/** By right of precedence: the first is the winner. */
function rulesOf({ winner, competing }: Conflict): readonly MatchRule[] {
  return [winner, ...competing];
}

export function addRule(place: MatchKey | undefined, claim: MatchRule, order: MatchingOrder): MatchKey {
  const standing = place && conflictOf(place, claim);
  const claims = standing === undefined ? [claim] : [...rulesOf(standing), claim].sort(order.compareCompeting);
  return withContest(place, standing, judge(claims, order), order);
}

/** `undefined` when nobody is left. */
export function removeRule(place: MatchKey, claim: MatchRule, order: MatchingOrder): MatchKey | undefined {
  const standing = conflictOf(place, claim);
  const claims = standing === undefined ? [] : rulesOf(standing).filter((other) => other !== claim);
  if (claims.length > 0) return withContest(place, standing, judge(claims, order), order);
  const [first, ...others] = conflictsOf(place).filter((contest) => contest !== standing);
  return first && { path: place.path, rank: place.rank, first, others };
}

/** The contest that a claim takes part in. */
export function conflictOf(place: MatchKey, claim: MatchRule): Conflict | undefined {
  const { identity } = claim.of.conditions;
  return conflictsOf(place).find(({ conditions }) => conditions.identity === identity);
}

/** The first contest that the request fits, its method aside. */
export function firstFitting(place: MatchKey, target: RequestTarget): Conflict | undefined {
  if (isFit(place.first, target)) return place.first;
  for (const contest of place.others) if (isFit(contest, target)) return contest;
  return undefined;
}

function isFit({ conditions }: Conflict, target: RequestTarget): boolean {
  return conditions.free || firstFailed(conditions, target) === undefined;
}

/** Claims of a contest that get no traffic, as long as nothing changes. */
export function losersOf(contest: Conflict): readonly MatchRule[] {
  if (contest.competing.length === 0) return [];
  const serving = contest.shares.length > 0 ? contest.shares : [contest.winner];
  // One route may claim one place twice (`/a` and `/a/.`): it does not lose against itself.
  return rulesOf(contest).filter((claim) => !serving.some((other) => other.of === claim.of));
}

function withContest(
  place: MatchKey | undefined,
  standing: Conflict | undefined,
  contest: Conflict,
  order: MatchingOrder,
): MatchKey {
  const { path, rank } = contest.winner;
  if (place === undefined) return { path, rank, first: contest, others: none };
  const [first = contest, ...others] = conflictsOf(place)
    .filter((other) => other !== standing)
    .concat(contest)
    .sort((one, other) => order.compare(one.winner, other.winner));
  return { path: place.path, rank: place.rank, first, others };
}

/**
 * A weight is an offer to share. It takes the winner's offer: nobody gets a part of somebody's traffic by a label of
 * their own alone.
 */
function judge(claims: readonly MatchRule[], order: MatchingOrder): Conflict {
  const winner = claims[0] as MatchRule;
  const { conditions, route } = winner.of;
  const anyMethod = conditions.allowedMethods === undefined && conditions.deniedMethods === undefined;
  const alone: Conflict = {
    winner,
    conditions,
    direct: anyMethod ? route : undefined,
    shares: none,
    totalWeight: 0,
    competing: claims.length === 1 ? none : claims.slice(1),
  };
  if (claims.length === 1 || weightOf(winner) === undefined) return alone;
  const shares = claims
    .filter((claim, at) => weightOf(claim) !== undefined && claims.findIndex((one) => sameService(one, claim)) === at)
    .toSorted(order.compare);
  const totalWeight = shares.reduce((sum, claim) => sum + (weightOf(claim) ?? 0), 0);
  if (shares.length === 1 || totalWeight === 0) return alone;
  return { ...alone, direct: undefined, shares, totalWeight };
}

/** One for all: most places need it, and there are as many as routes. */
const none: readonly never[] = [];

/** @param random at least 0, below 1 */
export function chooseShare(contest: Conflict, random: number): MatchRule {
  let left = random * contest.totalWeight;
  for (const claim of contest.shares) {
    left -= weightOf(claim) ?? 0;
    if (left < 0) return claim;
  }
  return contest.winner;
}

function weightOf(claim: MatchRule): number | undefined {
  return claim.of.route.definition.weight;
}

function sameService(one: MatchRule, other: MatchRule): boolean {
  return one.of.route.key === other.of.route.key;
}
