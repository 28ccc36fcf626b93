import { createServer, type Server } from 'node:net';
import { silentLogger } from '@swarmgate/runtime';
import { trustedProxies } from '../src/exchange/client-connection.ts';
import type { ExchangeContext } from '../src/exchange/exchange-context.ts';
import { createExpressRouter } from '../src/express/express-router.ts';
import type { EncodedSlash } from '../src/routing/normal-path.ts';
import { createHttpServer, type HttpServer } from '../src/server/create-http-server.ts';
import { createReferenceHttp2Server } from '../src/server/http2/reference/reference-server.ts';
import type { ConnectionPool, PoolLimits } from '../src/transport/connection-pool.ts';
import { RawClient } from './raw-client.ts';
import { type TestContext, type TestContextOptions, testContext } from './test-context.ts';

export interface RigTimeouts {
  readonly headMs: number;
  readonly keepAliveMs: number;
  readonly clientMs: number;
  readonly serverMs: number;
  readonly connectMs: number;
  readonly tunnelMs: number;
  readonly bodyBytesPerSecond?: number;
}

/** What a server under test is made of. */
export interface ServerMaterial {
  readonly context: ExchangeContext;
  readonly timeouts: RigTimeouts;
  readonly limits: Partial<PoolLimits>;
  readonly trusted: readonly string[];
  readonly mostBodyBytes: number;
  readonly writesVia: boolean;
  readonly writesForwarded?: boolean;
  readonly encodedSlash?: EncodedSlash;
  readonly publishedPorts?: ReadonlyMap<number, number>;
}

export type MakeServer = (material: ServerMaterial) => HttpServer;

export const viaName = 'swarmgate-test';
let requestIds = 0;
const newRequestId = () => `id-${String(++requestIds).padStart(5, '0')}`;

export const makeCoreServer = (
  { limits, trusted, writesVia, ...others }: ServerMaterial,
  http2?: { readonly mostStreams: number; readonly makeServer?: typeof createReferenceHttp2Server },
) =>
  createHttpServer({
    ...(http2 === undefined ? {} : { http2 }),
    ...others,
    trusted: trustedProxies(trusted),
    recordsAgents: true,
    viaName: writesVia ? viaName : undefined,
    newRequestId,
    poolLimits: limits,
    logger: silentLogger,
    sweepTickMs: 10,
  });

/** The same, which serves HTTP/2 too. */
export const makeHttp2Server: MakeServer = (material) => makeCoreServer(material, { mostStreams: 100 });

/** The same, by node:http2 (`HTTP2=node`). */
export const makeReferenceServer: MakeServer = (material) =>
  makeCoreServer(material, { mostStreams: 100, makeServer: createReferenceHttp2Server });

/** The same, with every route through Express. */
export const makeExpressServer: MakeServer = (material) => makeCoreServer(throughExpress(material));

export const makeExpressHttp2Server: MakeServer = (material) => makeHttp2Server(throughExpress(material));

function throughExpress(material: ServerMaterial): ServerMaterial {
  return { ...material, context: { ...material.context, handlerOf: createExpressRouter() } };
}

export interface RigOptions extends TestContextOptions {
  readonly timeouts?: Partial<RigTimeouts>;
  readonly limits?: Partial<PoolLimits>;
  readonly trusted?: readonly string[];
  readonly mostBodyBytes?: number;
  /** `VIA_HEADER`. Default here: `true`. */
  readonly writesVia?: boolean;
  /** `PUBLISHED_PORTS`; the rig's entrypoint is 80. */
  readonly publishedPorts?: ReadonlyMap<number, number>;
}

/** One server behind a real port. */
export interface Rig {
  readonly port: number;
  readonly server: HttpServer;
  readonly context: TestContext;
  readonly pool: ConnectionPool;
  client(): RawClient;
  stop(): Promise<void>;
}

export async function startRig(make: MakeServer, options: RigOptions): Promise<Rig> {
  const context = testContext(options);
  const timeouts = {
    headMs: 5_000,
    keepAliveMs: 5_000,
    clientMs: 5_000,
    serverMs: 5_000,
    connectMs: 5_000,
    tunnelMs: 60_000,
    ...options.timeouts,
  };
  const server = make({
    context,
    timeouts,
    limits: options.limits ?? {},
    trusted: options.trusted ?? [],
    mostBodyBytes: options.mostBodyBytes ?? 0,
    writesVia: options.writesVia ?? true,
    ...(options.publishedPorts === undefined ? {} : { publishedPorts: options.publishedPorts }),
  });
  const listener: Server = createServer({ allowHalfOpen: true }, (socket) =>
    server.accept(socket, { port: 80, secure: false }),
  );
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const clients: RawClient[] = [];
  return {
    port: address.port,
    server,
    context,
    pool: server.pool,
    client() {
      const client = new RawClient(address.port);
      clients.push(client);
      return client;
    },
    async stop() {
      for (const client of clients) client.destroy();
      await server.drain(0);
      server.stop();
      await new Promise<void>((resolve) => listener.close(() => resolve()));
    },
  };
}
