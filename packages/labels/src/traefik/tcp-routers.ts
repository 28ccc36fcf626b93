import type { Problem } from '../definition/problem.ts';
import type { Destination } from '../definition/service-definition.ts';
import type { GivenOptions } from './given-options.ts';
import { hasTls, routerEntrypoints } from './router-entrypoints.ts';
import type { SharedNames } from './shared-names.ts';
import { findTarget } from './target-service.ts';
import type { TraefikOptions, TraefikService } from './traefik-options.ts';

export interface TranslatedRouter {
  /** The Swarm service whose tasks serve it. */
  readonly owner: TraefikService;
  readonly destination: Omit<Destination, 'index' | 'since'>;
}

export interface TcpRouters {
  readonly routers: readonly TranslatedRouter[];
  readonly problems: readonly Problem[];
}

/** A TCP router takes a port of its own, or TLS connections of a port by their server name. */
export function translateTcpRouter(
  name: string,
  options: GivenOptions,
  owner: TraefikService,
  services: SharedNames,
  settings: TraefikOptions,
): TcpRouters {
  const label = options.values().next().value?.label ?? `traefik.tcp.routers.${name}`;
  const refused = (why: string, suggestion: string): TcpRouters => ({
    routers: [],
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
  const { ports, problems } = routerEntrypoints(
    new Map([...options].filter(([key]) => !key.startsWith('tls'))),
    name,
    settings,
  );
  if (ports.length === 0) return { routers: [], problems };
  const names = serverNames(options.get('rule')?.value ?? '');
  if (names === undefined) return refused('its rule is not HostSNI alone', 'write HostSNI(`*`) or names');
  if (options.has('middlewares'))
    return refused('it has middlewares', 'use allowedAddresses: com.df.allowedAddresses=10.0.0.0/8');
  const passes = /^(1|t|true)$/i.test(options.get('tls.passthrough')?.value.trim() ?? '');
  if (hasTls(options) && !passes)
    return refused('TLS is not ended for TCP', 'set tls.passthrough=true, or end TLS in the service');
  if (!passes && !names.includes('*'))
    return refused('names need TLS', 'write HostSNI(`*`), or set tls.passthrough=true');
  const [port = '', ...more] = ports;
  if (!/^\d+$/.test(port) || more.length > 0)
    return refused(
      'it needs one entrypoint with a port of its own',
      'name its port in TRAEFIK_ENTRYPOINTS: TRAEFIK_ENTRYPOINTS=postgres=5432',
    );
  const found = findTarget({ router: name, service: options.get('service'), owner, section: 'tcp.services' }, services);
  if (!found.ok) return { routers: [], problems: [...problems, ...found.problems] };
  const { target } = found;
  const destination = {
    reqMode: passes && !names.includes('*') ? ('sni' as const) : ('tcp' as const),
    srcPort: Number(port),
    port: target.port,
    ...(passes && !names.includes('*') ? { serviceDomain: names } : {}),
  };
  return { routers: [{ owner: target.owner, destination }], problems: [...problems, ...found.problems] };
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
