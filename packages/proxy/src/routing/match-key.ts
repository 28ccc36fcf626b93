import type { Claim } from './match-rule.ts';
import { type Conditions, firstFailed } from './conditions.ts';
import type { MatchingOrder } from './matching-order.ts';
import type { PathPattern } from './path-pattern.ts';
import type { RequestTarget } from '../model/request-target.ts';
import type { Route } from '../model/route.ts';

/**
 * One host with one path, and everybody who claims it. The first contest, which nearly always is the only one, stands
 * beside the others: in a large table each array on the way to a route is a miss of the processor's cache.
 */
export interface Place {
  readonly path: PathPattern;
  /** In an order that goes by places, that of all its claims. */
  readonly rank: number;
  readonly first: Contest;
  /** In matching order, after the first. */
  readonly others: readonly Contest[];
}

/** In matching order; at least one. */
export function contestsOf({ first, others }: Place): readonly Contest[] {
  return others.length === 0 ? [first] : [first, ...others];
}

/** Claims of one place under equal conditions: one keeps it, or several share it by weight. */
export interface Contest {
  readonly winner: Claim;
  /** The winner's, and so everybody's here. Kept beside it, as what follows, because every lookup reads them. */
  readonly conditions: Conditions;
  /** The winner's route where neither a method nor a weight has a say. */
  readonly direct: Route | undefined;
  /** Those that share with the winner, itself included; empty when it stands alone. */
  readonly shares: readonly Claim[];
  readonly totalWeight: number;
  /** The other claims, by right of precedence. */
  readonly rivals: readonly Claim[];
}

/** By right of precedence: the first is the winner. */
function claimsOf({ winner, rivals }: Contest): readonly Claim[] {
  return [winner, ...rivals];
}

export function addClaim(place: Place | undefined, claim: Claim, order: MatchingOrder): Place {
  const standing = place && contestOf(place, claim);
  const claims = standing === undefined ? [claim] : [...claimsOf(standing), claim].sort(order.compareRivals);
  return withContest(place, standing, judge(claims, order), order);
}

/** `undefined` when nobody is left. */
export function removeClaim(place: Place, claim: Claim, order: MatchingOrder): Place | undefined {
  const standing = contestOf(place, claim);
  const claims = standing === undefined ? [] : claimsOf(standing).filter((other) => other !== claim);
  if (claims.length > 0) return withContest(place, standing, judge(claims, order), order);
  const [first, ...others] = contestsOf(place).filter((contest) => contest !== standing);
  return first && { path: place.path, rank: place.rank, first, others };
}

/** The contest that a claim takes part in. */
export function contestOf(place: Place, claim: Claim): Contest | undefined {
  const { identity } = claim.of.conditions;
  return contestsOf(place).find(({ conditions }) => conditions.identity === identity);
}

/** The first contest that the request fits, its method aside. */
export function firstFitting(place: Place, target: RequestTarget): Contest | undefined {
  if (isFit(place.first, target)) return place.first;
  for (const contest of place.others) if (isFit(contest, target)) return contest;
  return undefined;
}

function isFit({ conditions }: Contest, target: RequestTarget): boolean {
  return conditions.free || firstFailed(conditions, target) === undefined;
}

/** Claims of a contest that get no traffic, as long as nothing changes. */
export function losersOf(contest: Contest): readonly Claim[] {
  if (contest.rivals.length === 0) return [];
  const serving = contest.shares.length > 0 ? contest.shares : [contest.winner];
  // One route may claim one place twice (`/a` and `/a/.`): it does not lose against itself.
  return claimsOf(contest).filter((claim) => !serving.some((other) => other.of === claim.of));
}

function withContest(
  place: Place | undefined,
  standing: Contest | undefined,
  contest: Contest,
  order: MatchingOrder,
): Place {
  const { path, rank } = contest.winner;
  if (place === undefined) return { path, rank, first: contest, others: none };
  const [first = contest, ...others] = contestsOf(place)
    .filter((other) => other !== standing)
    .concat(contest)
    .sort((one, other) => order.compare(one.winner, other.winner));
  return { path: place.path, rank: place.rank, first, others };
}

/**
 * A weight is an offer to share. It takes the winner's offer: nobody gets a part of somebody's traffic by a label of
 * their own alone.
 */
function judge(claims: readonly Claim[], order: MatchingOrder): Contest {
  const winner = claims[0] as Claim;
  const { conditions, route } = winner.of;
  const anyMethod = conditions.allowedMethods === undefined && conditions.deniedMethods === undefined;
  const alone: Contest = {
    winner,
    conditions,
    direct: anyMethod ? route : undefined,
    shares: none,
    totalWeight: 0,
    rivals: claims.length === 1 ? none : claims.slice(1),
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
export function chooseShare(contest: Contest, random: number): Claim {
  let left = random * contest.totalWeight;
  for (const claim of contest.shares) {
    left -= weightOf(claim) ?? 0;
    if (left < 0) return claim;
  }
  return contest.winner;
}

function weightOf(claim: Claim): number | undefined {
  return claim.of.route.definition.weight;
}

function sameService(one: Claim, other: Claim): boolean {
  return one.of.route.key === other.of.route.key;
}
