import type { Problem, ServiceDefinition, ServiceKey } from '@swarmgate/registry';
import type { RequestTarget } from './request-target.ts';
import type { Route } from './route.ts';

/**
 * Immutable compiled routes. `with` gives a new table that shares what did not change, so its cost follows the change;
 * a request keeps the table it started with.
 */
export interface RouteTable {
  readonly size: number;
  lookup(target: RequestTarget): Route | undefined;
  /** In matching order. */
  routes(): IterableIterator<Route>;
  routesOf(key: ServiceKey): readonly Route[];
  /** What the compiled table itself found wrong: conflicts, overridden services, unusable destinations. */
  problems(): ReadonlyMap<ServiceKey, readonly Problem[]>;
  explain(target: RequestTarget): Explanation;
  with(changes: ReadonlyMap<ServiceKey, ServiceDefinition | undefined>): RouteTable;
}

export interface Explanation {
  readonly winner: Route | undefined;
  /** Set when the winner is the default backend, which nothing has to match. */
  readonly byDefault: boolean;
  /** Every other route in matching order, with the first condition that failed, or `shadowed` when it would match too. */
  readonly candidates: readonly { readonly route: Route; readonly failed: FailedCondition }[];
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
    | 'instance'
    | 'overridden'
    | 'conflict'
    | 'shadowed';
  /** `host is shop.example, not blog.example`. */
  readonly message: string;
}
