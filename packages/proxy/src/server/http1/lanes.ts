import type { ExchangeSettings } from '../../entrypoint/exchange-handler.ts';
import { ExpressLane, type ExpressLaneSettings } from '../../entrypoint/express-lane.ts';
import type { Lane } from '../../entrypoint/lane.ts';
import type { ExchangeContext } from '../../exchange/exchange-context.ts';
import { RetryBudget } from '../../exchange/retry-budget.ts';
import { createTunnels } from '../../forwarding/hpm/create-tunnels.ts';
import { createCoreForwarder } from '../../forwarding/http1/core-handler.ts';
import { ConnectionPool } from '../../transport/connection-pool.ts';
import { DeadlineSweep } from '../../transport/deadline-sweep.ts';
import { createRawLane } from './http1-server.ts';

export interface LanesOptions {
  readonly plane: ExchangeContext;
  /** Which lane meets the clients; `raw` hands what it does not take to the Express lane. */
  readonly first: 'raw' | 'express';
  readonly exchange: ExchangeSettings;
  readonly express: ExpressLaneSettings;
  /** A request may wait so long for a connection to an endpoint. */
  readonly queueMs: number;
  readonly logger: Parameters<typeof createRawLane>[0]['logger'];
  /** Told how long each connection to an endpoint took to open, in milliseconds. */
  readonly onOpened?: (tookMs: number) => void;
}

export interface Lanes {
  /** For the entrypoints. Its `drain` drains both. */
  readonly lane: Lane;
  /** Connections to endpoints, for the metrics. */
  readonly pool: ConnectionPool;
  stop(): void;
}

// A burst that one endpoint's end causes: every request it had in flight, once.
const mostRetries = 200;

/** Both lanes on one forwarding core: they share connections to endpoints and the budget for retries. */
export function createLanes(options: LanesOptions): Lanes {
  const { plane, exchange, express, logger } = options;
  const { timeouts, trusted, viaName, newRequestId, writesForwarded = false, mostBodyBytes = 0 } = exchange;
  const limits = { connectMs: timeouts.connectMs, queueMs: options.queueMs };
  const pool = new ConnectionPool(new DeadlineSweep(), limits, options.onOpened);
  const retries = new RetryBudget(0.2, mostRetries);
  const forwarder = createCoreForwarder(pool, createTunnels());
  const expressLane = new ExpressLane({ plane, forwarder, retries, settings: exchange, logger }, express);
  const lane =
    options.first === 'express'
      ? expressLane
      : createRawLane({
          plane,
          pool,
          retries,
          next: expressLane,
          logger,
          settings: {
            timeouts: { ...timeouts, headMs: express.headMs, keepAliveMs: express.keepAliveMs },
            trusted,
            viaName,
            newRequestId,
            writesForwarded,
            mostBodyBytes,
          },
        });
  return { lane, pool, stop: () => forwarder.stop() };
}
