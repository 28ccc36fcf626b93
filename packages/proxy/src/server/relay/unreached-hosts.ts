import type { Problem, ServiceKey } from '@swarmgate/registry';
import type { RouteTable } from '../../routing/route-table.ts';
import type { RelayPlan } from './relay-plan.ts';

/** Adds the problems of services whose requests do not come over TLS, because their host is relayed to another service. */
export function withUnreached(
  { ports, problems }: RelayPlan,
  table: Pick<RouteTable, 'routesOfHostAt'>,
): ReadonlyMap<ServiceKey, readonly Problem[]> {
  const all = new Map(problems);
  for (const { port, isShared, byName } of ports.values()) {
    if (!isShared) continue;
    for (const { sample, text, rank, group } of byName) {
      if (sample === undefined) continue;
      const [owner] = group.routes;
      const keys = new Set(table.routesOfHostAt(sample, { port, secure: true }, rank).map(({ key }) => key));
      for (const key of keys)
        all.set(key, [
          ...(all.get(key) ?? []),
          {
            severity: 'warning',
            reason: 'server-name-taken',
            message: `TLS connections to port ${port} for ${text} are relayed to ${owner?.key}, so no requests come from them`,
            label: 'serviceDomain',
            value: text,
            suggestion: 'Use another name for one of the two, or another entrypoint.',
            ...(owner === undefined ? {} : { otherService: owner.key }),
          },
        ]);
    }
  }
  return all;
}
