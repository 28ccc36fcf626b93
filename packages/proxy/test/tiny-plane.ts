import type { ServiceDefinition } from '@swarmgate/registry';
import type { AccessRecord } from '../src/exchange/access-record.ts';
import type { ExchangeContext } from '../src/exchange/exchange-context.ts';
import type { Middleware } from '../src/middleware/middleware.ts';
import type { Endpoint, EndpointOutcome } from '../src/model/endpoint.ts';
import type { RequestTarget } from '../src/model/request-target.ts';
import type { Route } from '../src/model/route.ts';

/** A data plane of a few lines: routes by a function, endpoints in turn. What it was told stays readable. */
export interface TinyPlane extends ExchangeContext {
  readonly reports: AccessRecord[];
  readonly outcomes: EndpointOutcome[];
  readonly picks: string[];
  outstanding: number;
}

export interface TinyPlaneOptions {
  readonly endpoints: readonly Endpoint[] | ((route: Route) => readonly Endpoint[]);
  readonly routeOf?: (target: RequestTarget) => Route | undefined;
  readonly steps?: readonly Middleware[];
}

export function tinyRoute(name = 'web', more: Partial<Route['destination']> = {}): Route {
  const destination = { index: 0, since: 0, servicePath: ['/'], port: 80, ...more };
  const definition: ServiceDefinition = {
    version: 1,
    service: name,
    owner: 'swarm',
    source: { kind: 'env', by: 'test' },
    updatedAt: '2026-01-01T00:00:00.000Z',
    destinations: [destination],
  };
  return {
    id: `swarm/${name}/0`,
    key: `swarm/${name}`,
    definition,
    destination,
    upstreamPort: 80,
    upstreamSecure: false,
  };
}

export function endpointAt(port: number, more: Partial<Endpoint> = {}): Endpoint {
  return { id: `127.0.0.1:${port}`, host: '127.0.0.1', port, secure: false, state: 'active', ...more };
}

export function tinyPlane(options: TinyPlaneOptions): TinyPlane {
  const route = tinyRoute();
  let turn = 0;
  const plane: TinyPlane = {
    reports: [],
    outcomes: [],
    picks: [],
    outstanding: 0,
    lookup: options.routeOf ?? (() => route),
    middlewareOf: () => options.steps ?? [],
    pick: (of, wanted) => {
      const all = typeof options.endpoints === 'function' ? options.endpoints(of) : options.endpoints;
      const left = all.filter((endpoint) => !wanted.except?.has(endpoint.id));
      const endpoint = left[turn++ % Math.max(1, left.length)];
      if (endpoint === undefined) return { kind: 'none', reason: 'no-endpoint' };
      plane.outstanding += 1;
      plane.picks.push(endpoint.id);
      return { kind: 'endpoint', endpoint, hasOthers: left.length > 1 };
    },
    finished: (_endpoint, outcome) => {
      plane.outstanding -= 1;
      plane.outcomes.push(outcome);
    },
    observe: (report) => {
      plane.reports.push(report);
    },
  };
  return plane;
}
