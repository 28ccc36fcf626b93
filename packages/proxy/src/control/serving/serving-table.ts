import { knownFeatures } from '@swarmgate/labels';
import type { Problem, ServiceDefinition, ServiceKey } from '@swarmgate/registry/vocabulary';
import { pause, type Settings } from '@swarmgate/runtime';
import { ownSubnets } from '../../endpoints/own-networks.ts';
import type { MiddlewareOf } from '../../middleware/middleware.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Route } from '../../model/route.ts';
import type { ServicesChange } from '../../model/served-service.ts';
import { createRouteTable } from '../../routing/create-route-table.ts';
import type { RouteTable } from '../../routing/route-table.ts';

/** Without PLUGINS_DIR a route that names plug-ins is blocked, so that no other request looks for any. */
const featuresWithoutPlugins: ReadonlySet<string> = new Set([...knownFeatures].filter((each) => each !== 'plugins'));

/** The table before the first change. */
export function emptyTable(settings: Settings, features?: ReadonlySet<string>): RouteTable {
  const known = features ?? (settings.pluginsDir === undefined ? featuresWithoutPlugins : undefined);
  return createRouteTable({
    order: settings.order,
    ...(settings.serviceDomainAlgo === undefined ? {} : { serviceDomainAlgo: settings.serviceDomainAlgo }),
    instanceName: settings.instanceName,
    filterInstanceName: settings.filterProxyInstanceName,
    ...(known === undefined ? {} : { features: known }),
  });
}

/** What requests of a route pass before they are forwarded, for `explain`: its steps, then its plug-ins. */
export function explainedSteps(middlewareOf: MiddlewareOf): MiddlewareOf {
  return (route) => [
    ...middlewareOf(route),
    ...(route.destination.plugins ?? []).map(({ name }) => ({ name: `plugins: ${name}` })),
  ];
}

export function definitionsOf(
  change: Pick<ServicesChange, 'changes'>,
): ReadonlyMap<ServiceKey, ServiceDefinition | undefined> {
  const definitions = new Map<ServiceKey, ServiceDefinition | undefined>();
  for (const [key, served] of change.changes) definitions.set(key, served?.definition);
  return definitions;
}

export function mergeProblems(
  ...sources: readonly ReadonlyMap<ServiceKey, readonly Problem[]>[]
): ReadonlyMap<ServiceKey, readonly Problem[]> {
  const all = new Map<ServiceKey, readonly Problem[]>();
  for (const source of sources)
    for (const [key, problems] of source) all.set(key, [...(all.get(key) ?? []), ...problems]);
  return all;
}

/** Endpoint ids of each service in the table. */
export function servedEndpoints(
  table: RouteTable,
  endpointsOf: (route: Route) => readonly Endpoint[],
): ReadonlyMap<ServiceKey, ReadonlySet<string>> {
  const served = new Map<ServiceKey, Set<string>>();
  for (const route of table.routes()) {
    const ids = served.get(route.key) ?? new Set();
    served.set(route.key, ids);
    for (const { id } of endpointsOf(route)) ids.add(id);
  }
  return served;
}

/** The networks of this machine, read again periodically: an overlay network can be attached to a running container. */
export class OwnNetworks {
  subnets: readonly string[] = ownSubnets() ?? [];

  async follow(everyMs: number, signal: AbortSignal): Promise<void> {
    while (await pause(everyMs, signal)) {
      const found = ownSubnets() ?? this.subnets;
      if (found.join() !== this.subnets.join()) this.subnets = found;
    }
  }
}

/** The table in force: one reference that moves. */
export class LiveTable {
  current: RouteTable;
  revision = '';

  constructor(first: RouteTable) {
    this.current = first;
  }

  replace(table: RouteTable, revision: string): void {
    this.current = table;
    this.revision = revision;
  }
}
