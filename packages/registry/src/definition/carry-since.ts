import type { Destination, ServiceDefinition, ServiceDomainAlgo } from '@swarmgate/labels';

/**
 * Dates every match of `next`: one that stood in `previous` already, under whatever index, keeps its `since`; a new one
 * begins at `nowMs`. So the older match of a host and path wins a conflict, and changing a label wins none.
 *
 * @param attempted what was last written over `previous`, perhaps successfully: then its dates count too
 */
export function carrySince(
  next: ServiceDefinition,
  previous: ServiceDefinition | undefined,
  nowMs: number,
  attempted?: ServiceDefinition,
): ServiceDefinition {
  const known = new Map<string, number>();
  for (const former of [previous, attempted]) {
    for (const destination of former?.destinations ?? []) {
      const key = matchKey(destination, former?.serviceDomainAlgo);
      known.set(key, Math.min(destination.since, known.get(key) ?? nowMs));
    }
  }
  return {
    ...next,
    destinations: next.destinations.map((destination) => ({
      ...destination,
      since: known.get(matchKey(destination, next.serviceDomainAlgo)) ?? nowMs,
    })),
  };
}

/** Everything that decides which requests a destination matches, in a fixed order. */
function matchKey(destination: Destination, algo: ServiceDomainAlgo | undefined): string {
  return JSON.stringify([
    destination.reqMode ?? 'http',
    algo ?? null,
    sorted(destination.serviceDomain?.map((domain) => domain.toLowerCase())),
    sorted(destination.servicePath ?? ['/']),
    destination.pathType?.matcher ?? 'path_beg',
    destination.pathType?.ignoreCase ?? false,
    sorted(destination.servicePathExclude),
    Object.entries(destination.serviceHeader ?? {})
      .map(([name, value]) => [name.toLowerCase(), value])
      .toSorted(),
    sorted(destination.userAgent),
    destination.srcPort ?? null,
    destination.httpsPort === undefined ? null : (destination.srcHttpsPort ?? 443),
    sorted(destination.allowedMethods),
    sorted(destination.deniedMethods),
    sorted(destination.redirectFromDomain),
    ...(destination.rule === undefined && destination.entryPorts === undefined
      ? []
      : [destination.rule ?? null, sorted(destination.entryPorts)]),
  ]);
}

function sorted(values: readonly string[] | undefined): readonly string[] {
  return (values ?? []).toSorted();
}
