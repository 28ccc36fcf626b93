import type { ServiceKey } from '@swarmgate/registry';
import type { CompiledRoute } from './match-rule.ts';
import { compareIdentity, type MatchingOrder } from './matching-order.ts';

/** Orders routes by their first match rule. Routes without one (default backends, then tcp and sni) come last. */
export function compareRoutes(one: CompiledRoute, other: CompiledRoute, order: MatchingOrder): number {
  const [first, otherFirst] = [one.matchRules[0], other.matchRules[0]];
  if (first && otherFirst) return order.compare(first, otherFirst);
  if (first || otherFirst) return first ? -1 : 1;
  return Number(one.mode === 'tcp') - Number(other.mode === 'tcp') || compareIdentity(one, other);
}

/** The sorted routes of an earlier table, and the services whose routes are not the same any more. */
export interface EarlierOrder {
  readonly routes: readonly CompiledRoute[];
  readonly touched: ReadonlySet<ServiceKey>;
}

/** The order is updated for up to this many changed services; beyond, sorting all costs little more. */
const MOST_TOUCHED = 200;

/** What a table hands to the one after it. */
export function earlierOrder(
  sorted: readonly CompiledRoute[] | undefined,
  before: EarlierOrder | undefined,
  touched: ReadonlySet<ServiceKey>,
): EarlierOrder | undefined {
  const all = sorted === undefined ? new Set([...touched, ...(before?.touched ?? [])]) : touched;
  const routes = sorted ?? before?.routes;
  return routes === undefined || all.size > MOST_TOUCHED ? undefined : { routes, touched: all };
}

/** Puts routes of touched services, as they are now, among those that stayed. Linear, where sorting is not. */
export function mergeRoutes(
  { routes, touched }: EarlierOrder,
  changed: readonly CompiledRoute[],
  order: MatchingOrder,
): readonly CompiledRoute[] {
  const incoming = changed.toSorted((one, other) => compareRoutes(one, other, order));
  const merged: CompiledRoute[] = [];
  let next = 0;
  for (const route of routes) {
    if (touched.has(route.route.key)) continue;
    for (let first = incoming[next]; first && compareRoutes(first, route, order) < 0; first = incoming[next]) {
      merged.push(first);
      next += 1;
    }
    merged.push(route);
  }
  for (; next < incoming.length; next += 1) merged.push(incoming[next] as CompiledRoute);
  return merged;
}
