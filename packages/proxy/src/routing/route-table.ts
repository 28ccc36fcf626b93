import type { Problem, ServiceDefinition, ServiceKey } from '@swarmgate/registry';
import type { RequestTarget } from '../model/request-target.ts';
import type { Route } from '../model/route.ts';
import type { PathReading } from './path-readings.ts';
import type { ReadingConflict } from './reading-conflicts.ts';

/**
 * Immutable compiled routes. `with` gives a new table that shares what did not change, so its cost follows the change;
 * a request keeps the table it started with.
 */
export interface RouteTable {
  /** Routes in force. */
  readonly size: number;
  lookup(target: RequestTarget): Route | undefined;
  /** As `lookup`, unless a reading of the path restricts the request further. Costs a lookup for each reading. */
  lookupUnambiguous(target: RequestTarget, readings: readonly PathReading[]): Route | 'path-ambiguous' | undefined;
  /** Routes in force, in matching order; those that serve tcp and sni come last. */
  routes(): IterableIterator<Route>;
  /** Of any status. */
  routesOf(key: ServiceKey): readonly Route[];
  statusOf(route: Route): RouteStatus;
  /**
   * How specific (`nameRank`) the most specific host is that fits a name and has a route at an entrypoint; `undefined`: none
   * fits. Default backends, which have no host, do not count.
   */
  hostRankAt(name: string, entry: EntryOfRequest): number | undefined;
  /** The routes at an entrypoint of the hosts that fit a name and have this rank. */
  routesOfHostAt(name: string, entry: EntryOfRequest, rank: number): readonly Route[];
  /** What the compiled table itself found wrong: conflicts, overridden services, unusable destinations. */
  problems(): ReadonlyMap<ServiceKey, readonly Problem[]>;
  /** Those problems of a service that are conflicts it lost. */
  lostConflicts(key: ServiceKey): readonly Problem[];
  /** @param limit of candidates listed; see `Explanation.omitted`. Default 250. */
  explain(target: RequestTarget, limit?: number): Explanation;
  /** As `explain`, yielding after each route: a large table takes long. */
  explainInSteps(target: RequestTarget, limit?: number): Generator<undefined, Explanation>;
  explainReadings(target: RequestTarget, readings: readonly PathReading[]): readonly ExplainedReading[];
  with(changes: ReadonlyMap<ServiceKey, ServiceDefinition | undefined>): RouteTable;
}

/** The entrypoint that a request came to. */
export type EntryOfRequest = Pick<RequestTarget, 'port' | 'secure'>;

/** `conflict`: every match of it is another service's, until that one goes. */
export type RouteStatus = 'in-force' | 'overridden' | 'other-instance' | 'conflict';

export interface Explanation {
  readonly winner: Route | undefined;
  /** Set when the winner is the default backend, which nothing has to match. */
  readonly byDefault: boolean;
  /** Every other route in matching order, with the first condition that failed, or `shadowed` when it would match too. */
  readonly candidates: readonly { readonly route: Route; readonly failed: FailedCondition }[];
  /** Candidates beyond the limit: those that have less in common with the request (neither host nor path, then one). */
  readonly omitted: number;
}

export interface ExplainedReading {
  readonly reading: PathReading;
  /** What the reading reaches: none, one, or those that share it by weight. */
  readonly routes: readonly Route[];
  /** Set where the request gets 400 because of this reading. */
  readonly conflict: ReadingConflict | undefined;
}

export interface FailedCondition {
  readonly condition:
    | 'port'
    | 'host'
    | 'path'
    | 'pathExclude'
    | 'method'
    | 'header'
    | 'userAgent'
    | 'rule'
    | 'instance'
    | 'overridden'
    | 'conflict'
    | 'shadowed';
  /** `host is shop.example, not blog.example`. */
  readonly message: string;
}
