import type { Socket } from 'node:net';
import { type EntrypointSetting, type Logger, pause } from '@swarmgate/runtime';
import type { Lane } from '../../entrypoint/lane.ts';
import type { TrustedProxies } from '../../exchange/client-connection.ts';
import type { ExchangeContext } from '../../exchange/exchange-context.ts';
import type { RetryBudget } from '../../exchange/retry-budget.ts';
import { type HeadLimits, RequestHead } from '../../http/request-head.ts';
import type { ConnectionPool } from '../../transport/connection-pool.ts';
import { RawConnection } from './connection.ts';
import type { ClientTimeouts, ConnectionRoom, ServedConnection } from './connection-room.ts';

export interface RawLaneParts {
  readonly plane: ExchangeContext;
  readonly pool: ConnectionPool;
  readonly retries: RetryBudget;
  /** Gets what this lane does not take. */
  readonly next: Lane;
  readonly logger: Logger;
  readonly settings: RawLaneSettings;
}

export interface RawLaneSettings {
  readonly timeouts: ClientTimeouts & { /** An endpoint may be silent so long. */ readonly serverMs: number };
  readonly trusted: TrustedProxies;
  readonly viaName: string;
  readonly newRequestId: () => string;
  /** `FORWARDED_HEADER`. Default no. */
  readonly writesForwarded?: boolean;
  /** `MAX_BODY_BYTES`. Default 0: no limit. */
  readonly mostBodyBytes?: number;
  readonly limits?: HeadLimits;
}

/** Serves plain HTTP/1.1 exchanges straight from the socket, and hands everything else to the next lane. */
export function createRawLane(parts: RawLaneParts): Lane {
  const { plane, pool, retries, next, logger, settings } = parts;
  const connections = new Set<ServedConnection>();
  let onEmpty: (() => void) | undefined;
  let draining = false;

  const room: ConnectionRoom = {
    context: plane,
    pool,
    budget: retries,
    serverMs: settings.timeouts.serverMs,
    logger,
    trusted: settings.trusted,
    viaName: settings.viaName,
    newRequestId: settings.newRequestId,
    writesForwarded: settings.writesForwarded ?? false,
    mostBodyBytes: settings.mostBodyBytes ?? 0,
    sweep: pool.sweep,
    timeouts: settings.timeouts,
    head: new RequestHead(settings.limits),
    get draining() {
      return draining;
    },
    handOver: (_connection, socket, entrypoint, bytes) => next.accept(socket, entrypoint, bytes),
    forget: (connection) => {
      connections.delete(connection);
      if (connections.size === 0) onEmpty?.();
    },
  };

  return {
    name: 'raw',
    accept(socket: Socket, entrypoint: EntrypointSetting, firstBytes?: Buffer): void {
      const connection = new RawConnection(socket, entrypoint, room);
      connections.add(connection);
      connection.start(firstBytes);
    },
    async drain(deadlineMs: number): Promise<void> {
      draining = true;
      for (const connection of connections) connection.drain();
      const over = new AbortController();
      const empty = new Promise<void>((resolve) => {
        onEmpty = resolve;
        if (connections.size === 0) resolve();
      });
      await Promise.all([
        Promise.race([empty, pause(deadlineMs, over.signal)]).then(() => {
          over.abort();
          for (const connection of connections) connection.destroy();
        }),
        next.drain(deadlineMs),
      ]);
    },
  };
}
