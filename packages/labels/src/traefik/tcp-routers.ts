import { isTrue } from '@swarmgate/runtime';
import type { Problem } from '../definition/problem.ts';
import type { Destination } from '../definition/service-definition.ts';
import type { EntrypointOptionsMap } from './entrypoint-options.ts';
import type { GivenOptions } from './given-options.ts';
import { hasTls, routerEntrypoints } from './router-entrypoints.ts';
import { issuerOf } from './router-issuer.ts';
import type { SharedNames } from './shared-names.ts';
import type { Target } from './target.ts';
import { findTarget } from './target-service.ts';
import { tcpMiddlewares } from './tcp-middlewares.ts';
import { withServedTlsOptions } from './tls-options.ts';
import type { TraefikOptions, TraefikService } from './traefik-options.ts';

export interface TranslatedRouter {
  /** The Swarm service whose tasks serve it. */
  readonly owner: TraefikService;
  readonly destination: Omit<Destination, 'index' | 'since'>;
}

export interface TcpRouters {
  readonly routers: readonly TranslatedRouter[];
  readonly problems: readonly Problem[];
  /** Middlewares that it names. */
  readonly used: readonly string[];
}

export interface TcpNames {
  readonly tcpServices: SharedNames;
  readonly tcpMiddlewares: SharedNames;
}

/** A TCP router takes a port of its own, or TLS connections of a port by their server name. */
export function translateTcpRouter(
  name: string,
  written: GivenOptions,
  owner: TraefikService,
  { tcpServices: services, tcpMiddlewares: shared }: TcpNames,
  settings: TraefikOptions,
): TcpRouters {
  const options = withServedTlsOptions(written, owner, settings);
  const label = options.values().next().value?.label ?? `traefik.tcp.routers.${name}`;
  const middlewares = tcpMiddlewares(options.get('middlewares'), owner, shared);
  const { used } = middlewares;
  const refused = (why: string, suggestion: string): TcpRouters => ({
    routers: [],
    used,
    problems: [
      {
        severity: 'error',
        reason: 'tcp-router-unsupported',
        message: `the TCP router ${name} is not served: ${why}`,
        label,
        suggestion,
      },
    ],
  });
  const names = serverNames(options.get('rule')?.value ?? '');
  if (names === undefined) return refused('its rule is not HostSNI alone', 'write HostSNI(`*`) or names');
  if (!middlewares.ok) return refused(middlewares.why, middlewares.suggestion);
  const reqMode = modeOf(options);
  if (reqMode === 'tcp' && !names.includes('*'))
    return refused('names need TLS', 'write HostSNI(`*`), or set tls.passthrough=true');
  const tlsOptions = options.get('tls.options')?.value.trim();
  if (reqMode === 'tls' && tlsOptions !== undefined && !/^default(@.*)?$/.test(tlsOptions))
    return refused(`tls.options ${tlsOptions} may demand certificates of clients`, 'set tls.passthrough=true');
  if (reqMode === 'tls' && settings.closesTls !== undefined)
    return refused(settings.closesTls, 'set tls.passthrough=true');
  const { groups, problems } = routerEntrypoints(options, name, { ...settings, entrypointOptions: closedOf(settings) });
  const ports = [...new Set(groups.flatMap(({ ports, closed }) => (closed === undefined ? ports : [])))];
  if (ports.length === 0) return { routers: [], problems, used };
  if (reqMode === 'tcp' && !ports.every((port) => /^\d+$/.test(port)))
    return refused(
      'without TLS it needs entrypoints with a port of their own',
      'name its port in TRAEFIK_ENTRYPOINTS: TRAEFIK_ENTRYPOINTS=postgres=5432',
    );
  const found = findTarget({ router: name, service: options.get('service'), owner, section: 'tcp.services' }, services);
  if (!found.ok) return { routers: [], problems: [...problems, ...found.problems], used };
  const { target } = found;
  const issuer = reqMode === 'tls' ? issuerOf(options, {}, settings) : {};
  const destination = {
    reqMode,
    ...quietConnections,
    ...entryOf(reqMode, ports),
    port: target.port,
    ...serversOf(target),
    ...(names.includes('*') ? {} : { serviceDomain: names }),
    ...(middlewares.uses.length === 0 ? {} : { middlewares: middlewares.uses }),
    ...(Object.keys(issuer).length === 0 ? {} : { overrides: issuer }),
  };
  return { routers: [{ owner: target.owner, destination }], problems: [...problems, ...found.problems], used };
}

function serversOf({
  fields,
}: Target): Pick<Destination, 'outboundHostname' | 'outboundServers' | 'backupServers' | 'sendProxyHeader'> {
  const { outboundHostname, outboundServers, backupServers, sendProxyHeader } = fields;
  return {
    ...(sendProxyHeader === undefined ? {} : { sendProxyHeader }),
    ...(outboundHostname === undefined ? {} : { outboundHostname }),
    ...(outboundServers === undefined ? {} : { outboundServers }),
    ...(backupServers === undefined ? {} : { backupServers }),
  };
}

/**
 * Traefik has no idle timeout for TCP connections, and finds peers that are gone by keep-alive. Database pools and Redis subscribers
 * may have nothing to send for a night.
 */
const quietConnections = { timeoutTunnelMs: 86_400_000, clitcpka: true } as const;

/** What entrypoints add is for routers of HTTP, but that they are closed. */
function closedOf({ entrypointOptions }: TraefikOptions): EntrypointOptionsMap {
  return new Map(
    [...(entrypointOptions ?? [])].map(([name, { closed }]) => [name, closed === undefined ? {} : { closed }]),
  );
}

function modeOf(options: GivenOptions): 'tcp' | 'sni' | 'tls' {
  if (!hasTls(options)) return 'tcp';
  return isTrue(options.get('tls.passthrough')?.value) ? 'sni' : 'tls';
}

/** TLS that is passed through can have a port of its own; TLS that is ended is at an entrypoint with TLS. */
function entryOf(
  reqMode: 'tcp' | 'sni' | 'tls',
  ports: readonly string[],
): Pick<Destination, 'srcPort' | 'entryPorts'> {
  const named = reqMode === 'sni' ? ports.map((port) => port.replace(/:ssl$/, '')) : ports;
  const [first = '', ...more] = named;
  return more.length === 0 && /^\d+$/.test(first) ? { srcPort: Number(first) } : { entryPorts: named };
}

/** Of ``HostSNI(`a`) || HostSNI(`b`)``, or version 2’s ``HostSNI(`a`, `b`)``; `undefined` for every other rule. */
function serverNames(rule: string): readonly string[] | undefined {
  const names: string[] = [];
  for (const part of rule.split('||')) {
    const inner = /^\s*HostSNI\(\s*((?:`[^`]*`|"[^"]*")(?:\s*,\s*(?:`[^`]*`|"[^"]*"))*)\s*\)\s*$/i.exec(part)?.[1];
    if (inner === undefined) return undefined;
    for (const [, raw, quoted] of inner.matchAll(/`([^`]*)`|"([^"]*)"/g))
      names.push((raw ?? quoted ?? '').toLowerCase());
  }
  return names.every((name) => name === '*' || /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name)) ? names : undefined;
}
