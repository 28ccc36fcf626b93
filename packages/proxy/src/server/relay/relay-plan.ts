import { restrictionNotHonoured } from '@swarmgate/labels';
import type { Problem, ServiceKey } from '@swarmgate/registry';
import { RE2JS } from 're2js';
import type { AlgorithmName } from '../../endpoints/balancing/algorithm.ts';
import type { Route } from '../../model/route.ts';

/** What happens to connections on one port: services of tcp and sni mode. */
export interface RelayPort {
  readonly port: number;
  /** By the name the client asks for, in matching order. */
  readonly byName: readonly NamedRelay[];
  /** Takes connections without a server name or with an unknown one. */
  readonly rest: RelayGroup | undefined;
}

/** Services that share the connections of one match. At least one route. */
export interface RelayGroup {
  readonly routes: readonly Route[];
  readonly balance: AlgorithmName;
  /** Lists of every service in the group that has one (`allowedAddresses`): a client must be on all of them. */
  readonly allowed: readonly (readonly string[])[];
}

export interface NamedRelay {
  readonly matches: (serverName: string) => boolean;
  readonly group: RelayGroup;
}

export interface RelayPlan {
  readonly ports: ReadonlyMap<number, RelayPort>;
  readonly problems: ReadonlyMap<ServiceKey, readonly Problem[]>;
}

export function isRelayed(route: Route): boolean {
  const { reqMode } = route.destination;
  return reqMode === 'tcp' || reqMode === 'sni';
}

/**
 * Which port relays to whom. Services of one port with equal patterns are a group and share its connections; so are
 * all services of tcp mode, unless they name different groups: then the oldest group has the port, and the others get a problem.
 */
export function planRelays(routes: Iterable<Route>): RelayPlan {
  const problems = new Map<ServiceKey, Problem[]>();
  const complain = (route: Route, problem: Problem) => {
    problems.set(route.key, [...(problems.get(route.key) ?? []), problem]);
  };
  const byPort = new Map<number, Route[]>();
  for (const route of routes) {
    const { srcPort } = route.destination;
    if (!isRelayed(route) || srcPort === undefined) continue;
    // Never relayed unprotected.
    const { blockedBy } = route;
    const restriction = blockedBy ?? restrictionNotHonoured(route.definition, route.destination);
    if (restriction !== undefined) {
      complain(route, {
        severity: 'warning',
        reason: blockedBy === undefined ? 'label-not-honoured' : 'unsupported-feature',
        message: `${restriction} restricts access by what a relay cannot see, so nothing is relayed to the service`,
        label: restriction,
        suggestion: `Remove com.df.${restriction}, or use com.df.allowedAddresses or reqMode http.`,
      });
      continue;
    }
    const known = byPort.get(srcPort);
    if (known === undefined) byPort.set(srcPort, [route]);
    else known.push(route);
  }
  const ports = new Map<number, RelayPort>();
  for (const [port, found] of byPort) ports.set(port, planPort(port, found.sort(olderFirst), complain));
  return { ports, problems };
}

function planPort(
  port: number,
  routes: readonly Route[],
  complain: (route: Route, problem: Problem) => void,
): RelayPort {
  const named = new Map<string, { readonly pattern: NamePattern; readonly routes: Route[] }>();
  const unnamed: Route[] = [];
  for (const route of routes) {
    const patterns = route.destination.reqMode === 'sni' ? patternsOf(route, complain) : [];
    if (patterns === undefined) continue;
    if (patterns.length === 0) unnamed.push(route);
    for (const pattern of patterns) {
      const same = named.get(pattern.id);
      if (same === undefined) named.set(pattern.id, { pattern, routes: [route] });
      else same.routes.push(route);
    }
  }
  const byName = [...named.values()]
    .sort((one, other) => one.pattern.rank - other.pattern.rank || olderFirst(one.routes[0], other.routes[0]))
    .flatMap(({ pattern, routes: sharing }) =>
      oneGroup(port, sharing, complain).map((group) => ({ matches: pattern.matches, group })),
    );
  return { port, byName, rest: oneGroup(port, unnamed, complain)[0] };
}

/** A TCP connection does not identify a group, so one group has the port. */
function oneGroup(
  port: number,
  routes: readonly Route[],
  complain: (route: Route, problem: Problem) => void,
): readonly RelayGroup[] {
  const [oldest] = routes;
  if (oldest === undefined) return [];
  const name = groupOf(oldest);
  const others = routes.filter((route) => groupOf(route) !== name);
  for (const route of others)
    complain(route, {
      severity: 'warning',
      reason: 'relay-port-taken',
      message: `connections to port ${port} belong to ${oldest.key}, which was there first`,
      label: 'srcPort',
      value: String(port),
      suggestion:
        'Use com.df.reqMode sni to tell TLS connections apart by name, another com.df.srcPort, or the same com.df.serviceGroup to share the port.',
      otherService: oldest.key,
    });
  const sharing = routes.filter((route) => !others.includes(route));
  const least = sharing.some(
    ({ definition, destination }) =>
      definition.balance === 'least-outstanding' || destination.balanceGroup === 'leastconn',
  );
  const allowed = sharing.flatMap(({ definition }) =>
    definition.allowedAddresses ? [definition.allowedAddresses] : [],
  );
  return [{ routes: sharing, balance: least ? 'least-outstanding' : 'round-robin', allowed }];
}

/**
 * Services of one group share connections. Without `serviceGroup` different domains make different groups: they are two
 * services, whose connections must not be mixed (two databases on one port).
 */
function groupOf({ destination: { serviceGroup, serviceDomain = [], reqMode } }: Route): string {
  if (serviceGroup !== undefined) return `group ${serviceGroup}`;
  return reqMode === 'tcp' ? `domains ${[...serviceDomain].sort().join()}` : 'none';
}

interface NamePattern {
  /** Equal patterns of two services are one match. */
  readonly id: string;
  /** Lower comes first: exact names, longest endings, longest beginnings, expressions. */
  readonly rank: number;
  readonly matches: (serverName: string) => boolean;
}

/** `undefined`: the service cannot be relayed; its problem is recorded. Empty: it takes every name. */
function patternsOf(
  route: Route,
  complain: (route: Route, problem: Problem) => void,
): readonly NamePattern[] | undefined {
  const { serviceDomain = [], servicePath = [], pathType } = route.destination;
  const patterns = serviceDomain.map(domainPattern);
  const matcher = pathType?.matcher ?? 'sni';
  for (const text of servicePath) {
    const pattern = namePattern(matcher, text);
    if (pattern === undefined) {
      complain(route, {
        severity: 'warning',
        reason: 'sni-pattern-invalid',
        message: `no server name can be compared with ${JSON.stringify(text)} by ${matcher}`,
        label: 'servicePath',
        value: text,
        suggestion: 'Set com.df.pathType to req_ssl_sni with -m str, beg, end or reg, or use com.df.serviceDomain.',
      });
      return undefined;
    }
    patterns.push(pattern);
  }
  return patterns;
}

const longest = 1_000;

function namePattern(matcher: string, text: string): NamePattern | undefined {
  const wanted = text.toLowerCase();
  switch (matcher) {
    case 'sni':
      return { id: `=${wanted}`, rank: 0, matches: (name) => name === wanted };
    case 'sni_end':
      return { id: `$${wanted}`, rank: 1_000 + longest - wanted.length, matches: (name) => name.endsWith(wanted) };
    case 'sni_beg':
      return { id: `^${wanted}`, rank: 3_000 + longest - wanted.length, matches: (name) => name.startsWith(wanted) };
    case 'sni_reg': {
      if (text.length > longest) return undefined;
      try {
        // Linear in the name's length whatever the expression. Names have no case, so neither has the match.
        const expression = RE2JS.compile(text, RE2JS.CASE_INSENSITIVE);
        return { id: `~${text}`, rank: 5_000, matches: (name) => expression.matcher(name).find() };
      } catch {
        return undefined;
      }
    }
    default:
      return undefined;
  }
}

/** As hosts in http mode: a name, or `*.domain` for all of its subdomains. */
function domainPattern(domain: string): NamePattern {
  const wanted = domain.toLowerCase();
  if (!wanted.startsWith('*')) return { id: `=${wanted}`, rank: 0, matches: (name) => name === wanted };
  const ending = wanted.slice(1);
  return {
    id: `$${ending}`,
    rank: 1_000 + longest - ending.length,
    matches: (name) => name.length > ending.length && name.endsWith(ending),
  };
}

function olderFirst(one: Route | undefined, other: Route | undefined): number {
  if (one === undefined || other === undefined) return 0;
  const age = one.destination.since - other.destination.since;
  return age !== 0 ? age : one.id < other.id ? -1 : one.id > other.id ? 1 : 0;
}
