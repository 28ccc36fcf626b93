import type { ServiceNames } from '@swarmgate/acme';
import type { ServiceDomainAlgo, ServiceKey } from '@swarmgate/registry';
import type { Route } from '../../model/route.ts';
import { entryPortOf } from '../../routing/entry-port.ts';
import { type HostPattern, parseHostPattern } from '../../routing/host-pattern.ts';

export interface ServedNamesOptions {
  /** Entry ports that end TLS. */
  readonly securePorts: readonly number[];
  /** `SERVICE_DOMAIN_ALGO`. */
  readonly serviceDomainAlgo: ServiceDomainAlgo | undefined;
}

/** Services with the hosts of their http routes that are served over TLS: what certificates can be ordered for. */
export function servedNames(routes: Iterable<Route>, options: ServedNamesOptions): readonly ServiceNames[] {
  const found = new Map<ServiceKey, { readonly route: Route; readonly names: Set<string> }>();
  for (const route of routes) {
    if (!isServedByTls(route, options.securePorts)) continue;
    // A router of Traefik without a resolver orders nothing, whatever others of the service order.
    if (route.destination.overrides?.acme === false) continue;
    const known = found.get(route.key) ?? { route, names: new Set<string>() };
    for (const name of hostsOf(route, options)) known.names.add(name);
    if (known.names.size > 0) found.set(route.key, known);
  }
  return [...found].map(([key, { route, names }]): ServiceNames => {
    const { acme, acmeChallenge, acmeProfile } = route.definition;
    return {
      key,
      names: [...names],
      ...(acme === undefined ? {} : { acme }),
      ...(acmeChallenge === undefined ? {} : { challenge: acmeChallenge }),
      ...(acmeProfile === undefined ? {} : { profile: acmeProfile }),
    };
  });
}

function isServedByTls({ id, destination, redirectToHost }: Route, securePorts: readonly number[]): boolean {
  const { reqMode = 'http', srcPort } = destination;
  if (securePorts.length === 0) return false;
  if (reqMode !== 'http') return reqMode === 'tls' && (srcPort === undefined || securePorts.includes(srcPort));
  if (redirectToHost !== undefined) return true;
  const port = entryPortOf(destination, id.endsWith(':https') ? 'httpsPort' : 'port');
  return port === undefined || securePorts.includes(port);
}

function hostsOf({ definition, destination, redirectToHost }: Route, options: ServedNamesOptions): readonly string[] {
  const { acmeDomains } = definition;
  if (acmeDomains !== undefined && redirectToHost === undefined)
    return acmeDomains.flatMap((name) => nameOf(parseHostPattern(name, undefined)) ?? []);
  const algo = definition.serviceDomainAlgo ?? options.serviceDomainAlgo;
  const patterns =
    redirectToHost === undefined
      ? (destination.serviceDomain ?? []).map((host) => parseHostPattern(host, algo))
      : (destination.redirectFromDomain ?? []).map((host) => parseHostPattern(host, undefined));
  return patterns.flatMap((pattern) => nameOf(pattern) ?? []);
}

/** Fragments of names are no names. */
function nameOf(pattern: HostPattern | undefined): string | undefined {
  if (pattern?.kind === 'exact') return pattern.text;
  return pattern?.kind === 'wildcard' ? `*${pattern.text}` : undefined;
}
