import type { Destination, ServiceDefinition, ServiceLabels } from '@swarmgate/registry';

/** A service as a case gives it: anything that is not said is as for a plain service `swarm/<service>` on port 80. */
export interface GivenService extends ServiceLabels {
  readonly requires?: readonly string[];
  readonly service: string;
  readonly owner?: string;
  readonly destinations: readonly Partial<Destination>[];
}

/** One routing case: the same table is run against the compiled routes and through a running proxy. */
export interface RoutingCase {
  readonly name: string;
  readonly order: 'strict' | 'legacy';
  readonly given: readonly GivenService[];
  readonly when: {
    readonly method?: string;
    /** As the client sends it. */
    readonly host: string;
    /** As the client sends it, with its query. */
    readonly target: string;
    /** Entry port. Default 80. */
    readonly port?: number;
    readonly headers?: Readonly<Record<string, string>>;
  };
  /**
   * `route` is `<service>/<index>`, with the owner before it (`east:web/0`) where that is not `swarm`; `forwarded` the
   * path that the endpoint gets, where it differs; `response` the response of the route's middleware instead.
   */
  readonly outcome:
    | { readonly route: string; readonly forwarded?: string; readonly response?: 403 }
    | { readonly redirectTo: string }
    | { readonly refused: string }
    | 'no-route';
}

export function definitionOf({ service, owner = 'swarm', destinations, ...labels }: GivenService): ServiceDefinition {
  return {
    ...labels,
    version: 1,
    service,
    owner,
    source: { kind: 'rest', by: 'a test' },
    updatedAt: '2026-01-01T00:00:00.000Z',
    destinations: destinations.map((destination, index) => ({ index, since: 1000, port: 80, ...destination })),
  };
}

export const shop = site('shop', ['shop.example']);
export const everywhere = paths('everywhere', '/');

/** A service that responds by hosts. */
export function site(service: string, serviceDomain: readonly string[], more: Partial<Destination> = {}): GivenService {
  return { service, destinations: [{ serviceDomain, ...more }] };
}

/** A service that responds by paths. */
export function paths(service: string, ...servicePath: readonly string[]): GivenService {
  return { service, destinations: [{ servicePath }] };
}

export function typed(
  service: string,
  matcher: NonNullable<Destination['pathType']>['matcher'],
  path: string,
  ignoreCase = false,
) {
  return { service, destinations: [{ servicePath: [path], pathType: { matcher, ignoreCase } }] };
}

export const posts: GivenService = {
  service: 'posts',
  destinations: [{ servicePath: ['/'], allowedMethods: ['POST'] }],
};

export function aged(service: string, since: number): GivenService {
  return site(service, ['shop.example'], { since });
}

type Then = RoutingCase['outcome'] | string;

function on(
  order: RoutingCase['order'],
  name: string,
  given: readonly GivenService[],
  when: string | (Partial<RoutingCase['when']> & { readonly url: string }),
  then: Then,
): RoutingCase {
  const { url, ...rest } = typeof when === 'string' ? { url: when } : when;
  const slash = url.indexOf('/');
  const expected = typeof then === 'string' && then !== 'no-route' ? { route: then } : (then as RoutingCase['outcome']);
  return {
    name,
    order,
    given,
    when: { ...rest, host: url.slice(0, slash), target: url.slice(slash) },
    outcome: expected,
  };
}

export const strict = on.bind(undefined, 'strict');
export const legacy = on.bind(undefined, 'legacy');
