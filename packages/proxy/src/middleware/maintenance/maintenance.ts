import type { Route } from '../../model/route.ts';
import { proceed } from '../local-responses.ts';
import type { Middleware, MiddlewareOf } from '../middleware.ts';
import { pageFor, type ServiceDown } from './maintenance-in-force.ts';
import { maintenanceResponse } from './maintenance-response.ts';

/** A service in maintenance: before its access rules and its other steps, so that every client gets the same page. */
export function maintenanceStep(down: ServiceDown, now: () => number = Date.now): Middleware {
  return {
    name: 'maintenance',
    onRequest({ client, request }) {
      const nowMs = now();
      const page = pageFor(down, client.address, nowMs);
      if (page === undefined) return proceed;
      return { kind: 'respond', response: maintenanceResponse(page, request.get('accept'), nowMs) };
    },
  };
}

/**
 * The steps of a route with that of its maintenance in front. Not part of the route's compiled steps: maintenance begins and
 * ends without a new table.
 */
export function withMaintenance(
  stepsOf: MiddlewareOf,
  downOf: (route: Route) => ServiceDown | undefined,
  now?: () => number,
): MiddlewareOf {
  const made = new WeakMap<Route, { readonly down: ServiceDown; readonly steps: readonly Middleware[] }>();
  return (route) => {
    const steps = stepsOf(route);
    const down = downOf(route);
    if (down === undefined) return steps;
    const before = made.get(route);
    if (before?.down === down) return before.steps;
    // A call of gRPC-Web is refused as its clients read it, so the step that notes its form stays the first.
    const first = steps.findIndex(({ name }) => name !== 'grpcWeb');
    const at = first === -1 ? steps.length : first;
    const all = Object.freeze([...steps.slice(0, at), maintenanceStep(down, now), ...steps.slice(at)]);
    made.set(route, { down, steps: all });
    return all;
  };
}
