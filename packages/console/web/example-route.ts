import type { Route } from './types.ts';

/** For tests: a route of a service `swarm/NAME` without endpoints. */
export function exampleRoute(service: string, more: Partial<Route> = {}): Route {
  return {
    id: `swarm/${service}/0`,
    service,
    owner: 'swarm',
    index: 0,
    origin: 'registry',
    addressesFresh: true,
    conditions: { servicePath: [`/${service}`] },
    upstream: { port: 80, secure: false },
    endpoints: [],
    ...more,
  };
}
