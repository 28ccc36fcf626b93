import { type EndpointDrain, type Problem, type ServiceKey, serviceKey } from '@swarmgate/registry/vocabulary';
import type { Endpoint } from '../model/endpoint.ts';
import type { Route } from '../model/route.ts';
import type { ServedService } from '../model/served-service.ts';
import type { AlgorithmName } from './balancing/algorithm.ts';
import { type Discovery, discoverEndpoints } from './endpoint-discovery.ts';
import { drainOf, withDrains } from './endpoint-drains.ts';
import type { NameState } from './name-resolution.ts';
import { type OwnPorts, ownPorts } from './own-ports.ts';
import { endpointsOfServers } from './weighted-servers.ts';

/** The group a route forwards to, as it stands at this moment. */
export interface Upstream {
  readonly endpoints: readonly Endpoint[];
  /** Try them one after the other instead of spreading requests: names that have not been resolved yet. */
  readonly inOrder: boolean;
  readonly ifNone: 'no-endpoint' | 'stale-endpoint';
  /** Set by the group; else by the route's own label. */
  readonly balance?: AlgorithmName;
  /** Set where there is no usable address. */
  readonly problem?: Problem;
}

export interface UpstreamsOptions {
  readonly swarmName: string;
  /** The same array as long as nothing changed. */
  readonly subnets: () => readonly string[];
  readonly dockerNames: boolean;
  readonly names: { resolve(name: string): NameState; peek(name: string): NameState };
  /** Default: those of this process. */
  readonly ownPorts?: OwnPorts;
}

interface Served extends Pick<ServedService, 'endpoints' | 'addressesFresh'> {
  readonly drains: readonly EndpointDrain[];
}

interface Reached {
  readonly served: Served | undefined;
  /** Of the services that its servers may be: `Upstreams.#version`; 0: none is. */
  readonly version: number;
  readonly subnets: readonly string[];
  readonly reach: Discovery;
  readonly nameStates: readonly NameState[];
  readonly upstream: Upstream;
}

/** The endpoints of each route, live: follows the registry, the networks of this machine and DNS. */
export class Upstreams {
  readonly #options: UpstreamsOptions;
  readonly #services = new Map<ServiceKey, Served>();
  /** Counts changes of services, from 1. */
  #version = 1;
  // Keyed by the route object: a recompiled route is evaluated again, an old one lives as long as a request holds it.
  readonly #reached = new WeakMap<Route, Reached>();

  constructor(options: UpstreamsOptions) {
    this.#options = options;
  }

  apply(changes: ReadonlyMap<ServiceKey, ServedService | undefined>): void {
    this.#version += 1;
    for (const [key, served] of changes) {
      if (served === undefined) this.#services.delete(key);
      else {
        const { endpoints, addressesFresh, maintenance } = served;
        this.#services.set(key, { endpoints, addressesFresh, drains: maintenance?.drains ?? noDrains });
      }
    }
  }

  /** The drain that one of a service's endpoints is under. */
  drainOf(key: ServiceKey, endpoint: Pick<Endpoint, 'host' | 'port'>): EndpointDrain | undefined {
    const served = this.#services.get(key);
    return served === undefined ? undefined : drainOf(endpoint, served.drains, served.endpoints);
  }

  /** For a request: keeps the route's names fresh. */
  of(route: Route): Upstream {
    return this.#upstreamOf(route, (name) => this.#options.names.resolve(name));
  }

  /** For reports: causes no DNS queries for unused routes. */
  view(route: Route): Upstream {
    return this.#upstreamOf(route, (name) => this.#options.names.peek(name));
  }

  #upstreamOf(route: Route, stateOf: (name: string) => NameState): Upstream {
    const served = this.#services.get(route.key);
    const subnets = this.#options.subnets();
    const before = this.#reached.get(route);
    const same =
      before !== undefined &&
      before.served === served &&
      before.subnets === subnets &&
      (before.version === 0 || before.version === this.#version);
    // Nothing is made where nothing changed: this runs for every request.
    if (same && hasStates(before, stateOf)) return before.upstream;
    const found = same ? before.reach : this.#discoverEndpoints(route, served, subnets);
    const nameStates = namesOf(found).map(stateOf);
    const usable = withoutOwnPorts(upstreamOf(found, nameStates, before?.upstream), this.#options.ownPorts ?? ownPorts);
    const { drains = noDrains, endpoints } = served ?? {};
    const upstream = drains.length === 0 ? usable : withDrains(usable, drains, endpoints);
    const version = found.kind === 'servers' ? this.#version : 0;
    this.#reached.set(route, { served, version, subnets, reach: found, nameStates, upstream });
    return upstream;
  }

  #discoverEndpoints(route: Route, served: Served | undefined, subnets: readonly string[]): Discovery {
    const { swarmName, dockerNames } = this.#options;
    return discoverEndpoints(route, served?.endpoints, {
      swarmName,
      subnets,
      addressesFresh: served?.addressesFresh ?? true,
      // A name in a manual definition is resolved as anywhere on this machine; only Swarm services need Docker's DNS.
      dockerNames: dockerNames || route.definition.source.kind !== 'swarm',
      serviceOf: (service) => this.#services.get(serviceKey({ owner: route.definition.owner, service })),
    });
  }
}

const noNames: readonly NameState[] = [];
const noHosts: readonly string[] = [];
const noDrains: readonly EndpointDrain[] = [];

/** Whether all its names are as they were. Queries each of them, which keeps them fresh. */
function hasStates({ reach: found, nameStates }: Reached, stateOf: (name: string) => NameState): boolean {
  const names = namesOf(found);
  let same = true;
  for (let at = 0; at < names.length; at += 1) same = stateOf(names[at] as string) === nameStates[at] && same;
  return same;
}

function namesOf(found: Discovery): readonly string[] {
  return found.kind === 'names' || found.kind === 'servers' ? found.names : noHosts;
}

function upstreamOf(found: Discovery, states: readonly NameState[], before: Upstream | undefined): Upstream {
  switch (found.kind) {
    case 'addresses':
      return { endpoints: reuse(found.endpoints, before), inOrder: false, ifNone: 'no-endpoint' };
    case 'none':
      return { endpoints: [], inOrder: false, ifNone: found.reason, problem: found.problem };
    case 'servers': {
      const { servers, target, otherwise } = found;
      const endpoints = endpointsOfServers(servers, states, target);
      if (endpoints.length === 0) return upstreamOf(otherwise, noNames, before);
      return { endpoints: reuse(endpoints, before), inOrder: false, ifNone: 'no-endpoint' };
    }
    case 'names': {
      const { names, target, otherwise } = found;
      const at = (host: string): Endpoint => ({ id: `${host}:${target.port}`, host, ...target, state: 'active' });
      const resolved = states.find((state) => state.kind === 'resolved');
      const firstPending = states.findIndex((state) => state.kind === 'pending');
      const firstResolved = resolved === undefined ? -1 : states.indexOf(resolved);
      if (resolved !== undefined && (firstPending === -1 || firstResolved < firstPending))
        return { endpoints: reuse(resolved.addresses.map(at), before), inOrder: false, ifNone: 'no-endpoint' };
      const last = upstreamOf(otherwise, noNames, before);
      if (firstPending === -1) return last;
      // Not known yet which name has an address: the system resolves them as they are tried.
      const untried = names.filter((_name, index) => states[index]?.kind !== 'failed').map(at);
      return { endpoints: reuse([...untried, ...last.endpoints], before), inOrder: true, ifNone: last.ifNone };
    }
  }
}

/**
 * Leaves out endpoints that are the proxy itself, and reports them. Names that are not resolved yet and ports that are opened later
 * are refused when a connection is opened.
 */
function withoutOwnPorts(upstream: Upstream, own: OwnPorts): Upstream {
  const endpoints = upstream.endpoints.filter(({ host, port }) => !own.leadsHere(host, port));
  const [first] = upstream.endpoints;
  if (first === undefined || endpoints.length === upstream.endpoints.length) return upstream;
  if (endpoints.length > 0) return { ...upstream, endpoints };
  return {
    ...upstream,
    endpoints,
    problem: {
      severity: 'warning',
      reason: 'own-port',
      message: `${first.host}:${first.port} is a port of the proxy itself or of its registry, where no service is reached`,
      suggestion: 'Correct com.df.port or com.df.outboundHostname, so that they name the service.',
    },
  };
}

/** Equal endpoints stay the same objects, so that what is remembered of them by object stays too. */
function reuse(endpoints: readonly Endpoint[], before: Upstream | undefined): readonly Endpoint[] {
  if (before === undefined) return endpoints;
  return endpoints.map(
    (endpoint) =>
      before.endpoints.find(
        (each) =>
          each.id === endpoint.id &&
          each.host === endpoint.host &&
          each.state === endpoint.state &&
          each.secure === endpoint.secure &&
          each.http2 === endpoint.http2 &&
          each.weight === endpoint.weight &&
          each.backup === endpoint.backup &&
          each.serverName === endpoint.serverName,
      ) ?? endpoint,
  );
}
