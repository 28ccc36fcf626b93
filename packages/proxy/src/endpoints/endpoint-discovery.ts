import { BlockList, isIPv6 } from 'node:net';
import { readOutboundServer } from '@swarmgate/labels';
import type {
  EndpointDrain,
  EndpointsDocument,
  Problem,
  ProblemReason,
  PublishedPort,
  TaskEndpoint,
} from '@swarmgate/registry';
import type { Endpoint } from '../model/endpoint.ts';
import type { Route } from '../model/route.ts';
import { withDrains } from './endpoint-drains.ts';
import type { DiscoveredServer } from './weighted-servers.ts';

/** The proxy's position in the network. */
export interface DiscoveryView {
  /** `SWARM_NAME`: only this owner's task addresses and names are ours to use. */
  readonly swarmName: string;
  /** Networks of this process's own interfaces as CIDRs: `10.0.1.7/24`. */
  readonly subnets: readonly string[];
  /** `false`: overlay addresses may belong to other tasks by now (`ServedService.addressesFresh`). */
  readonly addressesFresh: boolean;
  /** Whether names of Swarm services can resolve here: `false` on a host beside the Swarm. Default `true`. */
  readonly dockerNames?: boolean;
  /** Other services of the route's owner, by name. Default: none is known. */
  readonly serviceOf?: (service: string) => KnownService | undefined;
}

/** A registered service that another one leads to. */
export interface KnownService {
  readonly endpoints: EndpointsDocument | undefined;
  readonly addressesFresh: boolean;
  readonly drains: readonly EndpointDrain[];
}

/** What all endpoints of a route have in common. */
export type EndpointTarget = Pick<Endpoint, 'port' | 'secure' | 'http2'>;

/** How a route's service can be reached from here. The caller resolves the names. */
export type Discovery =
  | { readonly kind: 'addresses'; readonly endpoints: readonly Endpoint[] }
  | {
      readonly kind: 'names';
      /** To be tried in this order; every address of the first one that resolves is an endpoint. At least one. */
      readonly names: readonly string[];
      readonly target: EndpointTarget;
      /** When no name resolves: the published ports, or nothing and why. */
      readonly otherwise: Exclude<Discovery, { readonly kind: 'names' | 'servers' }>;
    }
  | {
      readonly kind: 'servers';
      /** Of the servers that are to be resolved, in their order. */
      readonly names: readonly string[];
      /** Every address of every one that resolves is an endpoint. At least one. */
      readonly servers: readonly DiscoveredServer[];
      readonly target: EndpointTarget;
      /** When none of them resolves. */
      readonly otherwise: Extract<Discovery, { readonly kind: 'none' }>;
    }
  | { readonly kind: 'none'; readonly reason: 'no-endpoint' | 'stale-endpoint'; readonly problem: Problem };

/**
 * Chooses among all forms in which a service can be reached (docs/routing.md): `outboundHostname`; task
 * addresses inside a subnet of this machine; `tasks.<service>`, then the VIP's name; published ports, which alone hold on
 * the host and for another Swarm's services. Stale addresses leave `tasks.<service>` only. A document with `tasksOnly` leaves the
 * task addresses only.
 */
export function discoverEndpoints(
  route: Pick<Route, 'definition' | 'destination' | 'upstreamPort' | 'upstreamSecure' | 'upstreamHttp2'>,
  endpoints: EndpointsDocument | undefined,
  view: DiscoveryView,
): Discovery {
  const { definition, destination } = route;
  const target = targetOf(route);
  if (destination.outboundServers !== undefined) return serversOf(route, target, view);
  if (destination.outboundHostname !== undefined) {
    const fault = unreachable(
      'outbound-unresolved',
      `outboundHostname ${destination.outboundHostname} has no address`,
      `Correct com.df.outboundHostname, or give the name an address in DNS.`,
    );
    return { kind: 'names', names: [destination.outboundHostname], target, otherwise: fault };
  }
  const ofASwarm = definition.source.kind === 'swarm' || endpoints !== undefined;
  const foreign = ofASwarm && definition.owner !== view.swarmName;
  const dnsName = endpoints?.dnsName ?? definition.service;
  const otherwise = published(endpoints?.published ?? [], target) ?? noWay(route, endpoints, foreign);
  if (endpoints?.tasksOnly === true && !foreign && view.addressesFresh)
    return byTasksAlone(endpoints, view.subnets, target);
  if (foreign || view.dockerNames === false) return otherwise;
  if (!view.addressesFresh) {
    return { kind: 'names', names: [`tasks.${dnsName}`], target, otherwise: stale(dnsName) };
  }
  // `discoveryType=DNS` uses names even where task addresses are known.
  if (definition.discoveryType !== 'DNS') {
    const tasks = tasksWithin(endpoints?.tasks ?? [], view.subnets, target);
    if (tasks.length > 0) return { kind: 'addresses', endpoints: tasks };
  }
  return { kind: 'names', names: [`tasks.${dnsName}`, dnsName], target, otherwise };
}

/** `tasks.<service>` is a service of this Swarm, by its registered tasks where they can be reached; every other name is resolved. */
function serversOf(
  { definition, destination }: Pick<Route, 'definition' | 'destination'>,
  target: EndpointTarget,
  { swarmName, subnets, serviceOf }: DiscoveryView,
): Discovery {
  const known = (host: string, port: number): readonly Endpoint[] => {
    const service = host.startsWith('tasks.') ? serviceOf?.(host.slice('tasks.'.length)) : undefined;
    if (service === undefined || !service.addressesFresh || definition.owner !== swarmName) return [];
    const { endpoints, drains } = service;
    const tasks = tasksWithin(endpoints?.tasks ?? [], subnets, { ...target, port });
    return withDrains({ endpoints: tasks }, drains, endpoints).endpoints;
  };
  const serverAt =
    (isBackup: boolean) =>
    (text: string): readonly DiscoveredServer[] => {
      const server = readOutboundServer(text);
      if (server === undefined) return [];
      const { host, port, weight = 1 } = server;
      const endpoints = known(host, port);
      return [
        {
          name: host,
          port,
          weight,
          ...(isBackup ? { backup: true } : {}),
          ...(endpoints.length === 0 ? {} : { endpoints }),
        },
      ];
    };
  const { outboundServers = [], backupServers = [] } = destination;
  const servers = [...outboundServers.flatMap(serverAt(false)), ...backupServers.flatMap(serverAt(true))];
  return {
    kind: 'servers',
    names: servers.flatMap(({ name, endpoints }) => (endpoints === undefined ? [name] : [])),
    servers,
    target,
    otherwise: unreachable(
      'outbound-unresolved',
      'no server of outboundServers has an address',
      'Correct com.df.outboundServers, or give the names an address in DNS.',
    ),
  };
}

function targetOf(route: Pick<Route, 'upstreamPort' | 'upstreamSecure' | 'upstreamHttp2'>): EndpointTarget {
  const { upstreamPort: port, upstreamSecure: secure, upstreamHttp2: http2 } = route;
  return http2 === undefined ? { port, secure } : { port, secure, http2 };
}

/** A service whose tasks are reached over a shared network or not at all. */
function byTasksAlone(
  { tasks, network, service }: EndpointsDocument,
  subnets: readonly string[],
  target: EndpointTarget,
): Discovery {
  const shared = tasksWithin(tasks, subnets, target);
  if (shared.length > 0) return { kind: 'addresses', endpoints: shared };
  if (tasks.length === 0)
    return unreachable('unreachable', `no task of ${service} runs`, 'See why: docker service ps <service>.');
  return unreachable(
    'network-not-shared',
    `no task of ${service} is on a network of this proxy, and labels of Traefik lead over shared networks only`,
    network === undefined
      ? 'Attach service and proxy to one overlay network.'
      : `Attach the proxy to network ${network}, or the service to a network of the proxy.`,
  );
}

function tasksWithin(
  tasks: readonly TaskEndpoint[],
  subnets: readonly string[],
  target: EndpointTarget,
): readonly Endpoint[] {
  const own = new BlockList();
  for (const subnet of subnets) {
    const { address, family, prefix } = parseCidr(subnet);
    if (isRoutable(address)) own.addSubnet(address, prefix, family);
  }
  const found: Endpoint[] = [];
  for (const task of tasks) {
    const inside = task.addresses.map(parseCidr).find(({ address, family }) => own.check(address, family));
    // The port is part of the identity: connections to two ports of one task must never be exchanged.
    if (inside) found.push({ id: `${task.taskId}:${target.port}`, host: inside.address, ...target, state: task.state });
  }
  return found;
}

/** Every machine has the loopback subnet: an address in it is no evidence of a shared network. */
function isRoutable(address: string): boolean {
  return !address.startsWith('127.') && address !== '::1';
}

function parseCidr(text: string): { address: string; family: 'ipv4' | 'ipv6'; prefix: number } {
  const slash = text.indexOf('/');
  const address = slash === -1 ? text : text.slice(0, slash);
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const longest = family === 'ipv6' ? 128 : 32;
  return { address, family, prefix: slash === -1 ? longest : Number(text.slice(slash + 1)) };
}

function published(
  ports: readonly PublishedPort[],
  target: EndpointTarget,
): (Discovery & { kind: 'addresses' }) | undefined {
  const endpoints = ports
    .filter(({ targetPort }) => targetPort === target.port)
    .map(({ host, port: open }): Endpoint => ({ id: `${host}:${open}`, host, ...target, port: open, state: 'active' }));
  return endpoints.length === 0 ? undefined : { kind: 'addresses', endpoints };
}

function noWay(
  { definition, upstreamPort }: Pick<Route, 'definition' | 'upstreamPort'>,
  endpoints: EndpointsDocument | undefined,
  foreign: boolean,
): Discovery & { kind: 'none' } {
  const publish = `publish port ${upstreamPort} of the service`;
  if (foreign)
    return unreachable(
      'unreachable',
      `${definition.service} is in Swarm ${definition.owner}, and port ${upstreamPort} is not published there`,
      `In Swarm ${definition.owner}, ${publish}, or set com.df.outboundHostname.`,
    );
  const network = endpoints?.network;
  return unreachable(
    'unreachable',
    `no address of ${definition.service} can be reached from this proxy on port ${upstreamPort}`,
    network === undefined
      ? `Attach service and proxy to one overlay network, or ${publish}.`
      : `Attach the proxy to network ${network}, or ${publish}.`,
  );
}

function unreachable(reason: ProblemReason, message: string, suggestion: string): Discovery & { kind: 'none' } {
  return { kind: 'none', reason: 'no-endpoint', problem: { severity: 'warning', reason, message, suggestion } };
}

function stale(dnsName: string): Discovery & { kind: 'none' } {
  return {
    kind: 'none',
    reason: 'stale-endpoint',
    problem: {
      severity: 'warning',
      reason: 'stale-endpoint',
      message: `the known addresses of ${dnsName} are old and may belong to other tasks by now; tasks.${dnsName} does not resolve`,
      suggestion: 'Bring the registry back, or call reload?force=true when the services are known to be right.',
    },
  };
}
