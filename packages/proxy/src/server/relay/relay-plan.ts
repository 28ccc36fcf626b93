import { middlewaresOf, restrictionNotHonoured } from '@swarmgate/labels';
import type { Problem, ServiceKey } from '@swarmgate/registry';
import type { EntrypointSetting } from '@swarmgate/runtime';
import type { AlgorithmName } from '../../endpoints/balancing/algorithm.ts';
import type { Route } from '../../model/route.ts';
import { nameRank } from '../../routing/name-rank.ts';
import { type NamePattern, namePatternsOf } from './name-patterns.ts';
import { relayPortsOf } from './relay-ports.ts';

/** What happens to connections on one port: services of tcp, sni and tls mode. */
export interface RelayPort {
  readonly port: number;
  /** It is an entrypoint, which ends TLS for all names that are not relayed. */
  readonly isShared: boolean;
  /** By the server name that the client sends, in matching order. */
  readonly byName: readonly NamedRelay[];
  /** Takes connections without a server name or with an unknown one. */
  readonly rest: RelayGroup | undefined;
}

/** Services that share the connections of one match. At least one route. */
export interface RelayGroup {
  readonly routes: readonly Route[];
  readonly balance: AlgorithmName;
  /** Lists of every service in the group that has one (`allowedAddresses`, `ipAllowList`): a client must be on all of them. */
  readonly allowed: readonly (readonly string[])[];
  /** Limits of every service in the group that has one (`inFlightConn`): connections of one client at the same time. */
  readonly inFlight: readonly { readonly scope: string; readonly most: number }[];
  /** The proxy ends TLS, and relays what was encrypted. */
  readonly endsTls: boolean;
}

export interface NamedRelay extends Pick<NamePattern, 'matches' | 'rank' | 'sample' | 'text'> {
  readonly group: RelayGroup;
}

export interface RelayPlan {
  readonly ports: ReadonlyMap<number, RelayPort>;
  readonly problems: ReadonlyMap<ServiceKey, readonly Problem[]>;
}

export function isRelayed({ destination: { reqMode } }: Route): boolean {
  return ['tcp', 'sni', 'tls'].includes(reqMode ?? '');
}

type Complain = (route: Route, problem: Omit<Problem, 'severity'>) => void;

/**
 * Which port relays to whom. Services of tcp mode on one port are a group and share its connections, unless they name
 * different groups: then the oldest group has the port, and the others get a problem. A server name is the oldest service's;
 * services of one `serviceGroup` share it.
 * @param entrypoints the ports that take requests: `sni` and `tls` are relayed at those that end TLS, too
 */
export function planRelays(routes: Iterable<Route>, entrypoints: readonly EntrypointSetting[] = []): RelayPlan {
  const problems = new Map<ServiceKey, Problem[]>();
  const complain: Complain = (route, problem) => {
    problems.set(route.key, [...(problems.get(route.key) ?? []), { severity: 'warning', ...problem }]);
  };
  const byPort = new Map<number, Route[]>();
  for (const route of routes) {
    if (!isRelayed(route)) continue;
    // Never relayed unprotected.
    const { blockedBy } = route;
    const restriction = blockedBy ?? restrictionNotHonoured(route.definition, route.destination);
    if (restriction !== undefined) {
      complain(route, {
        reason: blockedBy === undefined ? 'label-not-honoured' : 'unsupported-feature',
        message: `${restriction} restricts access by what a relay cannot see, so nothing is relayed to the service`,
        label: restriction,
        suggestion: `Remove com.df.${restriction}, or use com.df.allowedAddresses or reqMode http.`,
      });
      continue;
    }
    const { ports, problem } = relayPortsOf(route.destination, entrypoints);
    if (problem !== undefined) complain(route, problem);
    for (const port of ports) byPort.set(port, [...(byPort.get(port) ?? []), route]);
  }
  const ports = new Map<number, RelayPort>();
  for (const [port, found] of byPort) {
    const isShared = entrypoints.some((each) => each.port === port);
    ports.set(port, planPort({ port, isShared }, found.sort(passedFirst), complain));
  }
  return { ports, problems };
}

function planPort(at: Pick<RelayPort, 'port' | 'isShared'>, routes: readonly Route[], complain: Complain): RelayPort {
  const named = new Map<string, { readonly pattern: NamePattern; readonly routes: Route[] }>();
  const unnamed: Route[] = [];
  for (const route of routes) {
    const patterns = route.destination.reqMode === 'tcp' ? [] : namePatternsOf(route, complain);
    if (patterns === undefined) continue;
    if (patterns.length === 0) unnamed.push(route);
    for (const pattern of patterns) {
      const same = named.get(pattern.id);
      if (same === undefined) named.set(pattern.id, { pattern, routes: [route] });
      else same.routes.push(route);
    }
  }
  const byName = [...named.values()]
    .sort((one, other) => one.pattern.rank - other.pattern.rank || passedFirst(one.routes[0], other.routes[0]))
    .flatMap(({ pattern, routes: sharing }) =>
      oneGroup(at.port, sharing, complain, pattern).map((group) => ({ ...pattern, group })),
    );
  return { ...at, byName, rest: oneGroup(at.port, unnamed, complain)[0] };
}

/** What a connection shows identifies no group, so the first group has the port, or the name. */
function oneGroup(
  port: number,
  routes: readonly Route[],
  complain: Complain,
  pattern?: NamePattern,
): readonly RelayGroup[] {
  const [first] = routes;
  if (first === undefined) return [];
  const name = groupOf(first);
  const others = routes.filter((route) => groupOf(route) !== name);
  for (const route of others) complain(route, taken(port, first, route, pattern));
  const sharing = routes.filter((route) => !others.includes(route));
  const least = sharing.some(
    ({ definition, destination }) =>
      definition.balance === 'least-outstanding' || destination.balanceGroup === 'leastconn',
  );
  const uses = sharing.flatMap(({ key, destination }) =>
    middlewaresOf(destination).map((use, at) => ({ use, scope: `${key}/${destination.index}/${at}` })),
  );
  const allowed = [
    ...sharing.flatMap(({ definition }) => (definition.allowedAddresses ? [definition.allowedAddresses] : [])),
    ...uses.flatMap(({ use }) => (use.kind === 'ipAllowList' ? [use.sourceRange] : [])),
  ];
  const inFlight = uses.flatMap(({ use, scope }) => (use.kind === 'inFlightConn' ? [{ scope, most: use.amount }] : []));
  const endsTls = first.destination.reqMode === 'tls';
  return [{ routes: sharing, balance: least ? 'least-outstanding' : 'round-robin', allowed, inFlight, endsTls }];
}

function taken(port: number, first: Route, route: Route, pattern?: NamePattern): Omit<Problem, 'severity'> {
  const isPassed = first.destination.reqMode === 'sni' && route.destination.reqMode === 'tls';
  const why = isPassed ? 'which passes TLS through' : 'which was there first';
  if (pattern !== undefined || route.destination.reqMode !== 'tcp')
    return {
      reason: 'server-name-taken',
      message: `TLS connections to port ${port} with ${pattern?.text ?? 'any other server name'} belong to ${first.key}, ${why}`,
      label: pattern?.label ?? 'serviceDomain',
      ...(pattern === undefined ? {} : { value: pattern.text }),
      suggestion: 'Use another name, or the same com.df.serviceGroup to share its connections.',
      otherService: first.key,
    };
  return {
    reason: 'relay-port-taken',
    message: `connections to port ${port} belong to ${first.key}, ${why}`,
    label: 'srcPort',
    value: String(port),
    suggestion:
      'Use com.df.reqMode sni to tell TLS connections apart by name, another com.df.srcPort, or the same com.df.serviceGroup to share the port.',
    otherService: first.key,
  };
}

/**
 * Services of one group share connections. Without `serviceGroup` different domains make different groups, and so do different
 * services with one server name: they are two services, whose connections must not be mixed (two databases on one port).
 */
function groupOf({ key, destination: { serviceGroup, serviceDomain = [], reqMode } }: Route): string {
  if (reqMode === 'tcp')
    return serviceGroup === undefined ? `domains ${[...serviceDomain].sort().join()}` : `group ${serviceGroup}`;
  return serviceGroup === undefined ? `${reqMode} ${key}` : `${reqMode} group ${serviceGroup}`;
}

/** Passing TLS through comes before ending it, then the older service. */
function passedFirst(one: Route | undefined, other: Route | undefined): number {
  if (one === undefined || other === undefined) return 0;
  const ends = Number(one.destination.reqMode === 'tls') - Number(other.destination.reqMode === 'tls');
  const age = one.destination.since - other.destination.since;
  return ends || age || (one.id < other.id ? -1 : one.id > other.id ? 1 : 0);
}

/**
 * Whose a connection to a shared port is, by the server name in its ClientHello: an exact name comes before a wildcard, and at
 * equal rank a relayed service before requests. `undefined`: the proxy ends TLS for requests.
 * @param hostRankAt `RouteTable.hostRankAt` of the port
 */
export function relayedName(
  { byName, rest }: Pick<RelayPort, 'byName' | 'rest'>,
  serverName: string | undefined,
  hostRankAt: (name: string) => number | undefined,
): RelayGroup | undefined {
  const named = serverName === undefined ? undefined : byName.find(({ matches }) => matches(serverName));
  const group = named?.group ?? rest;
  if (group === undefined || serverName === undefined) return group;
  const ofRequests = hostRankAt(serverName);
  return ofRequests !== undefined && ofRequests < (named?.rank ?? nameRank.any) ? undefined : group;
}
