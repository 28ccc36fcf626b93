import type { Server } from '../serving/server.ts';
import type { Steps } from '../steps.ts';

/** Requests and relayed connections of this replica that have not finished. */
export function inFlightOfAll({ outstanding }: Pick<Server, 'outstanding'>): number {
  let sum = 0;
  for (const count of outstanding?.().values() ?? []) sum += count;
  return sum;
}

/**
 * The same by service, only of services that have any. Services that share an address, as by `outboundHostname`, each show
 * all that is in flight there.
 */
export function* inFlightByService(
  server: Pick<Server, 'outstanding' | 'table' | 'endpointsOf'>,
): Steps<ReadonlyMap<string, number>> {
  const outstanding = server.outstanding?.() ?? new Map<string, number>();
  const found = new Map<string, number>();
  if (![...outstanding.values()].some((count) => count > 0)) return found;
  // Several routes of a service may lead to the same endpoint.
  const counted = new Set<string>();
  for (const route of server.table().routes()) {
    yield;
    for (const { endpoint } of server.endpointsOf(route)) {
      const count = outstanding.get(endpoint.id) ?? 0;
      const pair = `${route.key} ${endpoint.id}`;
      if (count === 0 || counted.has(pair)) continue;
      counted.add(pair);
      found.set(route.key, (found.get(route.key) ?? 0) + count);
    }
  }
  return found;
}
