import type { ServiceDefinition } from '@swarmgate/registry';
import type { AccessRecord } from '../src/exchange/access-record.ts';
import type { ExchangeContext } from '../src/exchange/exchange-context.ts';
import type { Middleware } from '../src/middleware/middleware.ts';
import type { Endpoint, EndpointOutcome } from '../src/model/endpoint.ts';
import type { RequestTarget } from '../src/model/request-target.ts';
import type { Route } from '../src/model/route.ts';

/** An exchange context for tests: routes come from a function, endpoints in turn, and every call is recorded. */
export interface TestContext extends ExchangeContext {
  readonly reports: AccessRecord[];
  readonly outcomes: EndpointOutcome[];
  readonly picks: string[];
  outstanding: number;
}

export interface TestContextOptions {
  readonly endpoints: readonly Endpoint[] | ((route: Route) => readonly Endpoint[]);
  readonly routeOf?: (target: RequestTarget) => Route | undefined;
  readonly steps?: readonly Middleware[];
}

export type TinyDestination = Partial<Route['destination']>;

export function tinyRoute(name = 'web', more: TinyDestination = {}): Route {
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

export function testContext(options: TestContextOptions): TestContext {
  const route = tinyRoute();
  let turn = 0;
  const context: TestContext = {
    reports: [],
    outcomes: [],
    picks: [],
    outstanding: 0,
    lookup: options.routeOf ?? (() => route),
    middlewareOf: () => options.steps ?? [],
    pick: (of, required) => {
      const all = typeof options.endpoints === 'function' ? options.endpoints(of) : options.endpoints;
      const left = all.filter((endpoint) => !required.except?.has(endpoint.id));
      const endpoint = left[turn++ % Math.max(1, left.length)];
      if (endpoint === undefined) return { kind: 'none', reason: 'no-endpoint' };
      context.outstanding += 1;
      context.picks.push(endpoint.id);
      return { kind: 'endpoint', endpoint, hasOthers: left.length > 1 };
    },
    finished: (_endpoint, outcome) => {
      context.outstanding -= 1;
      context.outcomes.push(outcome);
    },
    observe: (report) => {
      context.reports.push(report);
    },
  };
  return context;
}
