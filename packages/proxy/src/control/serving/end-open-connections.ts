import { type Logger, pause } from '@swarmgate/runtime';
import type { OpenConnection, OpenConnections } from '../../endpoints/open-connections.ts';
import type { Upstreams } from '../../endpoints/upstreams.ts';
import { type MaintenanceInForce, pageFor } from '../../middleware/maintenance/maintenance-in-force.ts';

export interface EndingsOptions {
  readonly connections: Pick<OpenConnections, 'endWhere' | 'size'>;
  readonly maintenance: Pick<MaintenanceInForce, 'of'>;
  readonly upstreams: Pick<Upstreams, 'drainOf'>;
  readonly logger: Logger;
}

/** Whether an open connection has to end: its service is in maintenance, or its endpoint's drain has waited long enough. */
export function mustEnd(
  { key, endpoint, clientAddress }: OpenConnection,
  { maintenance, upstreams }: Pick<EndingsOptions, 'maintenance' | 'upstreams'>,
  nowMs: number,
): boolean {
  const down = maintenance.of(key);
  if (down !== undefined && pageFor(down, clientAddress, nowMs) !== undefined) return true;
  const until = upstreams.drainOf(key, endpoint)?.tunnelsUntil;
  return until !== undefined && Date.parse(until) <= nowMs;
}

/** Ends upgraded and relayed connections of services in maintenance and of drained endpoints, within `everyMs`. */
export async function endOpenConnections(options: EndingsOptions, everyMs: number, signal: AbortSignal): Promise<void> {
  while (await pause(everyMs, signal)) {
    if (options.connections.size === 0) continue;
    const nowMs = Date.now();
    const ended = options.connections.endWhere((connection) => mustEnd(connection, options, nowMs));
    if (ended > 0) options.logger.info({ connections: ended }, 'open connections ended for maintenance or a drain');
  }
}
