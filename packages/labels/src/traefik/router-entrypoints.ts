import type { Problem } from '../definition/problem.ts';
import { nearestName } from '../values/nearest-name.ts';
import { type EntrypointOptions, type EntrypointTls, variableOf } from './entrypoint-options.ts';
import type { GivenOptions } from './given-options.ts';
import { splitList } from './middleware-calls.ts';
import type { TraefikOptions } from './traefik-options.ts';

/** `entryPorts` of a router. None: it is served nowhere. */
export interface RouterEntrypoints {
  readonly ports: readonly string[];
  /** The same ports, by what their entrypoints add to the router. */
  readonly groups: readonly EntrypointGroup[];
  readonly problems: readonly Problem[];
}

/** Ports whose entrypoints add the same. */
export interface EntrypointGroup {
  readonly ports: readonly string[];
  readonly middlewares: readonly { readonly name: string; readonly setting: string }[];
  /** Where the router has no `tls` of its own. */
  readonly tls?: EntrypointTls;
  /** Status of the redirect to TLS. */
  readonly redirect?: 307 | 308;
  readonly closed?: string;
}

type Settings = Pick<TraefikOptions, 'entrypoints' | 'entrypointOptions'>;

/**
 * An entrypoint that is not known serves nothing: what it was meant for may be internal. `tls` leaves the ports that have TLS.
 */
export function routerEntrypoints(options: GivenOptions, router: string, settings: Settings): RouterEntrypoints {
  const { entrypoints, entrypointOptions = none } = settings;
  const given = options.get('entrypoints');
  const isSecure = hasTls(options);
  const problems: Problem[] = [];
  const known: string[] = [];
  if (given === undefined) {
    // A router without `tls` takes no TLS connection in Traefik, unless its entrypoint has TLS options.
    if (entrypointOptions.size === 0 && !entrypoints.has(internal))
      return whole([isSecure ? 'ssl' : 'plain'], problems);
    known.push(...defaultEntrypoints(settings));
  } else
    for (const name of splitList(given.value)) {
      if (entrypoints.has(name.toLowerCase())) known.push(name.toLowerCase());
      else problems.push(unknownProblem(name, router, given.label, entrypoints));
    }
  const groups = groupsOf(known, { isSecure, isGiven: given !== undefined }, settings);
  const ports = [...new Set(groups.flatMap((group) => group.ports))];
  if (given !== undefined && isSecure && known.length > 0 && ports.length === 0)
    problems.push({
      severity: 'warning',
      reason: 'tls-at-plain-entrypoint',
      message: `the router ${router} has TLS, and its entrypoints ${given.value} have none, so it is not served`,
      label: given.label,
      value: given.value.slice(0, 100),
      suggestion: 'name an entrypoint with TLS, or leave tls out',
    });
  return { ports, groups, problems };
}

const none: ReadonlyMap<string, EntrypointOptions> = new Map();

/** Traefik's own entrypoint, which no router has by default. */
const internal = 'traefik';

function defaultEntrypoints({ entrypoints, entrypointOptions = none }: Settings): readonly string[] {
  const stated = [...entrypointOptions].filter(([, { isDefault }]) => isDefault === true).map(([name]) => name);
  return stated.length > 0 ? stated : [...entrypoints.keys()].filter((name) => name !== internal);
}

function whole(ports: readonly string[], problems: readonly Problem[]): RouterEntrypoints {
  return { ports, groups: [{ ports, middlewares: [] }], problems };
}

interface Requested {
  /** The router has `tls`. */
  readonly isSecure: boolean;
  /** It names its entrypoints. */
  readonly isGiven: boolean;
}

type Added = Omit<EntrypointGroup, 'ports'>;

/** Each port gets what all entrypoints at that port add: two names of one port are one entrypoint. */
function groupsOf(known: readonly string[], requested: Requested, settings: Settings): readonly EntrypointGroup[] {
  const byPort = new Map<string, Added>();
  for (const name of known)
    for (const port of narrowed(settings.entrypoints.get(name) ?? [], settings)) {
      const more = addedAt(port, requested, settings);
      const isSecure = requested.isSecure || more.tls !== undefined;
      const served = isSecure ? withTls(port) : requested.isGiven || !isTls(port) ? [port] : [];
      for (const each of served) byPort.set(each, more);
    }
  for (const [port, more] of [...byPort]) if (isTls(port)) addRedirects(byPort, port, more, settings);
  const groups = Map.groupBy(byPort, ([, { middlewares, tls, redirect, closed }]) =>
    JSON.stringify([middlewares, tls, redirect, closed]),
  );
  return [...groups.values()].map((same) => ({
    ...(same[0]?.[1] ?? { middlewares: [] }),
    ports: same.map(([port]) => port),
  }));
}

/** Entrypoints that lead to this port: there the router redirects, and here too, where it has no effect on TLS. */
function addRedirects(byPort: Map<string, Added>, port: string, more: Added, settings: Settings): void {
  for (const [name, { redirect }] of settings.entrypointOptions ?? none) {
    if (redirect === undefined || !isTarget(redirect.to, port, settings)) continue;
    const leading = { ...more, redirect: redirectStatus(redirect) };
    byPort.set(port, leading);
    for (const each of narrowed(settings.entrypoints.get(name) ?? [], settings)) byPort.set(each, leading);
  }
}

function isTarget(to: string, port: string, settings: Settings): boolean {
  if (to === 'https') return true;
  return narrowed(settings.entrypoints.get(to) ?? [], settings).some((each) => bare(each) === bare(port));
}

export function redirectStatus({ isPermanent }: NonNullable<EntrypointOptions['redirect']>): 307 | 308 {
  return isPermanent ? 308 : 307;
}

/** What all entrypoints at a port add to a router. */
function addedAt(port: string, { isSecure }: Requested, settings: Settings): Added {
  const { entrypoints, entrypointOptions = none } = settings;
  const here = [...entrypointOptions].filter(([name]) =>
    narrowed(entrypoints.get(name) ?? [], settings).some((each) => bare(each) === bare(port)),
  );
  const middlewares = here.flatMap(([name, own]) =>
    (own.middlewares ?? []).map((each) => ({ name: each, setting: `TRAEFIK_${variableOf(name)}_MIDDLEWARES` })),
  );
  const tls = here.map(([, own]) => own.tls).find((each) => each !== undefined);
  const redirect = here.map(([, own]) => own.redirect).find((each) => each !== undefined);
  const closed = here.map(([, own]) => own.closed).find((each) => each !== undefined);
  return {
    middlewares: [...new Map(middlewares.map((each) => [each.name, each])).values()],
    ...(tls === undefined || isSecure ? {} : { tls }),
    ...(redirect === undefined ? {} : { redirect: redirectStatus(redirect) }),
    ...(closed === undefined ? {} : { closed }),
  };
}

/** `8443:ssl` → `8443`: one port is one entrypoint, with TLS or without. */
function bare(port: string): string {
  return port.replace(/:ssl$/, '');
}

/**
 * `plain` and `ssl` are the usual port alone where another entrypoint has options and a port of its own: its options must hold
 * there, and a router of `web` is not at that entrypoint.
 */
function narrowed(ports: readonly string[], { entrypoints, entrypointOptions = none }: Settings): readonly string[] {
  const others = [...entrypointOptions.keys()].flatMap((name) => entrypoints.get(name) ?? []);
  const isTaken = (secure: boolean) => others.some((port) => /^\d/.test(port) && isTls(port) === secure);
  return ports.map((port) => {
    if (port === 'plain' && isTaken(false)) return '80';
    return port === 'ssl' && isTaken(true) ? '443:ssl' : port;
  });
}

export function hasTls(options: GivenOptions): boolean {
  const alone = options.get('tls');
  const isOff = alone !== undefined && /^(0|f|false)$/i.test(alone.value.trim());
  return [...options.keys()].some((key) => key.startsWith('tls.')) || (alone !== undefined && !isOff);
}

function isTls(port: string): boolean {
  return port === 'ssl' || port.endsWith(':ssl');
}

function withTls(port: string): readonly string[] {
  if (port === 'plain') return [];
  return [isTls(port) ? port : `${port}:ssl`];
}

function unknownProblem(
  name: string,
  router: string,
  label: string,
  entrypoints: TraefikOptions['entrypoints'],
): Problem {
  const nearest = nearestName(name, entrypoints.keys());
  const shown = /^[\w-]{1,50}$/.test(name) ? name : 'name';
  return {
    severity: 'error',
    reason: 'entrypoint-unknown',
    message: `there is no entrypoint ${name.slice(0, 100)}: the router ${router} is not served there`,
    label,
    value: name.slice(0, 100),
    suggestion: `${nearest === undefined ? '' : `did you mean ${nearest}? `}known are ${shownEntrypoints(entrypoints)}; TRAEFIK_ENTRYPOINTS=${shown}=8000 on the listener names another one with its port (8000:ssl with TLS), and BIND_PORTS=8000 on the proxy opens it`,
  };
}

/** `web (every port without TLS), internal (8000)`. */
function shownEntrypoints(entrypoints: TraefikOptions['entrypoints']): string {
  const all = [...entrypoints].map(([name, ports]) => `${name} (${ports.map(shownPort).join(' and ')})`);
  return all.length > 12 ? `${all.slice(0, 12).join(', ')} and ${all.length - 12} more` : all.join(', ');
}

function shownPort(port: string): string {
  if (port === 'plain') return 'every port without TLS';
  return port === 'ssl' ? 'every port with TLS' : port;
}
