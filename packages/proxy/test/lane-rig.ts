import { createServer, type Server } from 'node:net';
import { silentLogger } from '@swarmgate/runtime';
import { ExpressLane } from '../src/entrypoint/express-lane.ts';
import type { Lane } from '../src/entrypoint/lane.ts';
import { trustedProxies } from '../src/exchange/client-connection.ts';
import { RetryBudget } from '../src/exchange/retry-budget.ts';
import { createTunnels } from '../src/forwarding/hpm/create-tunnels.ts';
import { createCoreForwarder } from '../src/forwarding/http1/core-handler.ts';
import { createRawLane } from '../src/server/http1/http1-server.ts';
import { ConnectionPool, type PoolLimits } from '../src/transport/connection-pool.ts';
import { DeadlineSweep } from '../src/transport/deadline-sweep.ts';
import { RawClient } from './raw-client.ts';
import { type TinyPlane, type TinyPlaneOptions, tinyPlane } from './tiny-plane.ts';

export interface RigTimeouts {
  readonly headMs: number;
  readonly keepAliveMs: number;
  readonly clientMs: number;
  readonly serverMs: number;
  readonly connectMs: number;
  readonly bodyBytesPerSecond?: number;
}

export interface LaneParts {
  readonly plane: TinyPlane;
  readonly pool: ConnectionPool;
  readonly timeouts: RigTimeouts;
  readonly trusted: readonly string[];
  readonly mostBodyBytes: number;
}

export interface LaneUnderTest {
  readonly lane: Lane;
  readonly stop: () => void;
}

export type MakeLane = (parts: LaneParts) => LaneUnderTest;

export const viaName = 'swarmgate-test';
let requestIds = 0;
const newRequestId = () => `id-${++requestIds}`;

export const makeExpressLane: MakeLane = ({ plane, pool, timeouts, trusted, mostBodyBytes }) => {
  const forwarder = createCoreForwarder(pool, createTunnels());
  const settings = {
    timeouts: { ...timeouts, tunnelMs: 60_000 },
    trusted: trustedProxies(trusted),
    viaName,
    newRequestId,
    mostBodyBytes,
  };
  const lane = new ExpressLane(
    { plane, forwarder, retries: new RetryBudget(), settings, logger: silentLogger },
    { headMs: timeouts.headMs, keepAliveMs: timeouts.keepAliveMs },
  );
  return { lane, stop: () => forwarder.stop() };
};

export const makeRawLane: MakeLane = (parts) => {
  const next = makeExpressLane(parts);
  const { plane, pool, timeouts, trusted, mostBodyBytes } = parts;
  const lane = createRawLane({
    plane,
    pool,
    retries: new RetryBudget(),
    next: next.lane,
    logger: silentLogger,
    settings: { timeouts, trusted: trustedProxies(trusted), viaName, newRequestId, mostBodyBytes },
  });
  return { lane, stop: next.stop };
};

export interface RigOptions extends TinyPlaneOptions {
  readonly timeouts?: Partial<RigTimeouts>;
  readonly limits?: Partial<PoolLimits>;
  readonly trusted?: readonly string[];
  readonly mostBodyBytes?: number;
}

/** One lane behind a real port. */
export interface Rig {
  readonly port: number;
  readonly lane: Lane;
  readonly plane: TinyPlane;
  readonly pool: ConnectionPool;
  client(): RawClient;
  stop(): Promise<void>;
}

export async function startRig(make: MakeLane, options: RigOptions): Promise<Rig> {
  const plane = tinyPlane(options);
  const timeouts = {
    headMs: 5_000,
    keepAliveMs: 5_000,
    clientMs: 5_000,
    serverMs: 5_000,
    connectMs: 5_000,
    ...options.timeouts,
  };
  const pool = new ConnectionPool(new DeadlineSweep(10), { connectMs: timeouts.connectMs, ...options.limits });
  const { lane, stop } = make({
    plane,
    pool,
    timeouts,
    trusted: options.trusted ?? [],
    mostBodyBytes: options.mostBodyBytes ?? 0,
  });
  const server: Server = createServer((socket) => lane.accept(socket, { port: 80, secure: false }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const clients: RawClient[] = [];
  return {
    port: address.port,
    lane,
    plane,
    pool,
    client() {
      const client = new RawClient(address.port);
      clients.push(client);
      return client;
    },
    async stop() {
      for (const client of clients) client.destroy();
      await lane.drain(0);
      stop();
      pool.stop();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
