import { labelName } from '@swarmgate/labels';
import type { Destination, Problem, ServiceKey } from '@swarmgate/registry';
import type { EntrypointSetting } from '@swarmgate/runtime';
import type { Route } from '../../model/route.ts';
import { entersAt, entryPortOf, entryPortPattern } from '../../routing/entry-port.ts';
import type { RouteTable } from '../../routing/route-table.ts';

/** A destination that requires a port at which this proxy takes no requests. */
export interface MissingEntry {
  /** The label that requires it, without prefix and index. */
  readonly label: 'srcPort' | 'srcHttpsPort' | 'httpsPort' | 'entryPorts';
  readonly requested: string;
}

/** `undefined` where a request can reach the route at one of these entrypoints, or where it is none of requests. */
export function missingEntryOf(
  { id, destination, redirectToHost }: Pick<Route, 'id' | 'destination' | 'redirectToHost'>,
  entrypoints: readonly EntrypointSetting[],
): MissingEntry | undefined {
  const { reqMode = 'http', entryPorts } = destination;
  // Relays find their ports themselves; a redirect responds at every port.
  if (reqMode !== 'http' || redirectToHost !== undefined) return undefined;
  const over = id.endsWith(':https') ? 'httpsPort' : 'port';
  const port = entryPortOf(destination, over);
  if (port !== undefined && !entrypoints.some((each) => each.port === port))
    return { label: portLabel(destination, over), requested: String(port) };
  const fitting = entrypoints.filter((each) => port === undefined || each.port === port);
  const patterns = entryPorts?.map(entryPortPattern) ?? [];
  const isReached = patterns.length === 0 || fitting.some((at) => patterns.some((pattern) => entersAt(pattern, at)));
  return isReached ? undefined : { label: 'entryPorts', requested: entryPorts?.join(',') ?? '' };
}

function portLabel(destination: Destination, over: 'port' | 'httpsPort'): MissingEntry['label'] {
  if (over === 'port') return destination.srcPort === undefined ? 'httpsPort' : 'srcPort';
  return destination.srcHttpsPort === undefined ? 'httpsPort' : 'srcHttpsPort';
}

/** As in `DEFAULT_PORTS`. */
export function shownEntrypoints(entrypoints: readonly EntrypointSetting[]): string {
  return entrypoints.map(({ port, secure }) => `${port}${secure ? ':ssl' : ''}`).join(', ') || 'none';
}

/**
 * Destinations that no request can reach on this proxy, because it has no such entrypoint. Each replica has its own settings, so
 * such problems are not written to the registry.
 */
export class EntryPortProblems {
  readonly #entrypoints: readonly EntrypointSetting[];
  readonly #unreached = new Set<ServiceKey>();

  constructor(entrypoints: readonly EntrypointSetting[]) {
    this.#entrypoints = entrypoints;
  }

  /** The table has changed by these services. */
  apply(table: Pick<RouteTable, 'routesOf'>, changed: Iterable<ServiceKey>): void {
    for (const key of changed) {
      const isUnreached = table.routesOf(key).some((route) => missingEntryOf(route, this.#entrypoints) !== undefined);
      if (isUnreached) this.#unreached.add(key);
      else this.#unreached.delete(key);
    }
  }

  problems(table: Pick<RouteTable, 'routesOf' | 'statusOf'>): ReadonlyMap<ServiceKey, readonly Problem[]> {
    const found = new Map<ServiceKey, readonly Problem[]>();
    for (const key of this.#unreached) {
      const inForce = table.routesOf(key).filter((route) => table.statusOf(route) === 'in-force');
      found.set(
        key,
        inForce.flatMap((route) => this.#problemOf(route) ?? []),
      );
    }
    return found;
  }

  #problemOf(route: Route): Problem | undefined {
    const missing = missingEntryOf(route, this.#entrypoints);
    if (missing === undefined) return undefined;
    const label = labelName(missing.label, route.destination);
    const where = missing.label === 'entryPorts' ? 'at the entrypoints that it names' : `at port ${missing.requested}`;
    return {
      severity: 'warning',
      reason: 'entrypoint-missing',
      message: `no request can reach ${route.id} ${where}: this proxy has the entrypoints ${shownEntrypoints(this.#entrypoints)}`,
      label,
      value: missing.requested,
      suggestion:
        missing.label === 'httpsPort'
          ? `httpsPort serves at ${missing.requested} unless com.df.srcPort and com.df.srcHttpsPort name other ports: name those of this proxy, or add ${missing.requested} to BIND_PORTS`
          : `add it to BIND_PORTS of the proxies, or correct com.df.${label}`,
    };
  }
}
