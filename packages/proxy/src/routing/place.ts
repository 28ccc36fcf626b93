import type { Claim } from './claim.ts';
import { firstFailed } from './conditions.ts';
import type { MatchingOrder } from './matching-order.ts';
import type { RequestTarget } from './request-target.ts';

/** One host with one path, and everybody who claims it. */
export interface Place {
  readonly key: string;
  readonly claim: Claim;
  /** In matching order; at least one. */
  readonly contests: readonly Contest[];
}

/** Claims of one place under equal conditions: one keeps it, or several share it by weight. */
export interface Contest {
  readonly identity: string;
  readonly winner: Claim;
  /** Those that share with the winner, itself included; empty when it stands alone. */
  readonly shares: readonly Claim[];
  readonly totalWeight: number;
  /** All claims, by right of precedence: the first is the winner. */
  readonly claims: readonly Claim[];
}

export function addClaim(place: Place | undefined, key: string, claim: Claim, order: MatchingOrder): Place {
  const identity = claim.of.conditions.identity;
  const standing = place?.contests.find((contest) => contest.identity === identity);
  const claims = [...(standing?.claims ?? []), claim];
  if (claims.length > 1) claims.sort(order.compareRivals);
  return withContest(place, key, standing, judge(identity, claims, order), order);
}

/** `undefined` when nobody is left. */
export function removeClaim(place: Place, claim: Claim, order: MatchingOrder): Place | undefined {
  const identity = claim.of.conditions.identity;
  const standing = place.contests.find((contest) => contest.identity === identity);
  const claims = standing?.claims.filter((other) => other !== claim) ?? [];
  if (claims.length > 0) return withContest(place, place.key, standing, judge(identity, claims, order), order);
  const contests = place.contests.filter((contest) => contest !== standing);
  return contests[0] === undefined ? undefined : { key: place.key, claim: contests[0].winner, contests };
}

/** The first contest that the request fits, its method aside. */
export function firstFitting(place: Place, target: RequestTarget): Contest | undefined {
  for (const contest of place.contests) {
    const conditions = contest.winner.of.conditions;
    if (conditions.free || firstFailed(conditions, target) === undefined) return contest;
  }
  return undefined;
}

/** Claims of a contest that get no traffic, as long as nothing changes. */
export function losersOf(contest: Contest): readonly Claim[] {
  if (contest.claims.length === 1) return [];
  const serving = contest.shares.length > 0 ? contest.shares : [contest.winner];
  // One route may claim one place twice (`/a` and `/a/.`): it does not lose against itself.
  return contest.claims.filter((claim) => !serving.some((other) => other.of === claim.of));
}

function withContest(
  place: Place | undefined,
  key: string,
  standing: Contest | undefined,
  contest: Contest,
  order: MatchingOrder,
): Place {
  if (place === undefined) return { key, claim: contest.winner, contests: [contest] };
  const contests = place.contests.filter((other) => other !== standing);
  contests.push(contest);
  contests.sort((one, other) => order.compare(one.winner, other.winner));
  return { key, claim: contest.winner, contests };
}

/**
 * A weight is an offer to share. It takes the winner's offer: nobody gets a part of somebody's traffic by a label of
 * their own alone.
 */
function judge(identity: string, claims: readonly Claim[], order: MatchingOrder): Contest {
  const winner = claims[0] as Claim;
  if (claims.length === 1 || weightOf(winner) === undefined)
    return { identity, winner, shares: [], totalWeight: 0, claims };
  const shares = claims
    .filter((claim, at) => weightOf(claim) !== undefined && claims.findIndex((one) => sameService(one, claim)) === at)
    .toSorted(order.compare);
  const totalWeight = shares.reduce((sum, claim) => sum + (weightOf(claim) ?? 0), 0);
  const shared = shares.length > 1 && totalWeight > 0;
  return { identity, winner, shares: shared ? shares : [], totalWeight: shared ? totalWeight : 0, claims };
}

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
