import { TLSSocket } from 'node:tls';
import type { Logger } from '@swarmgate/runtime';
import type { AccessRecord } from '../exchange/access-record.ts';
import { withAttemptLog } from '../exchange/attempt-log.ts';
import type { TrustedProxies } from '../exchange/client-connection.ts';
import type { ExchangeContext } from '../exchange/exchange-context.ts';
import type { HttpExchangeContext } from '../exchange/http-exchange-context.ts';
import { RetryBudget } from '../exchange/retry-budget.ts';
import type { ForwardTimeouts } from '../exchange/timeouts.ts';
import type { HeadLimits } from '../http/request-head.ts';
import type { EncodedSlash } from '../routing/normal-path.ts';
import { ConnectionPool, type PoolLimits } from '../transport/connection-pool.ts';
import { DeadlineSweep } from '../transport/deadline-sweep.ts';
import { createHttp1Server } from './http1/http1-server.ts';
import { createHttp2Server } from './http2/http2-server.ts';
import type { ProtocolServer } from './protocol-server.ts';

export interface HttpServerOptions {
  readonly context: ExchangeContext;
  readonly timeouts: ForwardTimeouts & {
    /** Until a request head has arrived, in milliseconds. */
    readonly headMs: number;
    /** Idle time of a client's connection between requests, in milliseconds. */
    readonly keepAliveMs: number;
  };
  /** `TRUSTED_PROXIES`. */
  readonly trusted: TrustedProxies;
  /** `PUBLISHED_PORTS`. Default: clients reach each entrypoint under its own port. */
  readonly publishedPorts?: ReadonlyMap<number, number>;
  /** `VIA_HEADER`: this proxy's name in Via. Default: Via is not sent. */
  readonly viaName?: string | undefined;
  readonly newRequestId: () => string;
  /** `FORWARDED_HEADER`. Default `false`. */
  readonly writesForwarded?: boolean;
  /** `ENCODED_SLASH`. Default `keep`. */
  readonly encodedSlash?: EncodedSlash;
  /** Access records have Referer and User-Agent. Default `false`. */
  readonly recordsAgents?: boolean;
  /** `MAX_BODY_BYTES` of a request. Default 0: unlimited. */
  readonly mostBodyBytes?: number;
  readonly poolLimits?: Partial<PoolLimits>;
  readonly headLimits?: HeadLimits;
  /** `HTTP2`: serve it where a client chooses it. Default: not. */
  readonly http2?: {
    readonly mostStreams?: number;
    /** The server by node:http2, which is loaded only where it is used. Default: this proxy’s own. */
    readonly makeServer?: typeof createHttp2Server;
  };
  readonly logger: Logger;
  /** Called with the time that each connection to an endpoint took to open, in milliseconds. */
  readonly onOpened?: (tookMs: number) => void;
  /** How often deadlines are looked at, in milliseconds. Default 100. */
  readonly sweepTickMs?: number;
}

export interface HttpServer extends ProtocolServer {
  /** Connections of clients that are open, by the protocol of access records; a protocol that is not served is absent. */
  openByProtocol(): Readonly<Partial<Record<AccessRecord['protocol'], number>>>;
  /** Connections to endpoints. */
  readonly pool: ConnectionPool;
  stop(): void;
}

// What the end of one endpoint may cause at once: a retry for every request that it had in flight.
const mostRetries = 200;
const retriesPerRequest = 0.2;

/** The HTTP servers of one process: they share the pool of connections to endpoints and the retry budget. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { timeouts, trusted, viaName, newRequestId, logger } = options;
  const limits = { connectMs: timeouts.connectMs, ...options.poolLimits };
  const pool = new ConnectionPool(
    new DeadlineSweep(options.sweepTickMs),
    limits,
    options.onOpened,
    undefined,
    (error) => logger.error({ err: error }, 'a connection to an endpoint failed'),
  );
  const shared: HttpExchangeContext = {
    ...withAttemptLog(options.context, logger),
    pool,
    budget: new RetryBudget(retriesPerRequest, mostRetries),
    serverMs: timeouts.serverMs,
    tunnelMs: timeouts.tunnelMs,
    trusted,
    publishedPorts: options.publishedPorts ?? new Map(),
    viaName,
    newRequestId,
    writesForwarded: options.writesForwarded ?? false,
    mostBodyBytes: options.mostBodyBytes ?? 0,
    encodedSlash: options.encodedSlash ?? 'keep',
    recordsAgents: options.recordsAgents ?? false,
    logger,
  };
  const headLimits = options.headLimits === undefined ? {} : { limits: options.headLimits };
  const { makeServer = createHttp2Server, ...http2Options } = options.http2 ?? {};
  const http2 =
    options.http2 === undefined ? undefined : makeServer({ context: shared, timeouts, ...headLimits, ...http2Options });
  const mayReadInPlace = options.http2?.makeServer === undefined;
  const prior = http2 === undefined ? {} : { onHttp2: http2.accept, mayReadInPlace };
  const http1 = createHttp1Server({ context: shared, timeouts, ...headLimits, ...prior });
  return {
    accept: (socket, entrypoint, firstBytes) => {
      const isHttp2 = socket instanceof TLSSocket && socket.alpnProtocol === 'h2';
      if (isHttp2 && http2 !== undefined) http2.accept(socket, entrypoint, firstBytes);
      else http1.accept(socket, entrypoint, firstBytes);
    },
    drain: async (deadlineMs) => {
      await Promise.all([http1.drain(deadlineMs), http2?.drain(deadlineMs)]);
    },
    get open() {
      return http1.open + (http2?.open ?? 0);
    },
    openByProtocol: () => ({ 'HTTP/1.1': http1.open, ...(http2 === undefined ? {} : { 'HTTP/2': http2.open }) }),
    pool,
    stop: () => pool.stop(),
  };
}
