import type { Socket } from 'node:net';
import type { EntrypointSetting } from '@swarmgate/runtime';
import type { HttpExchangeContext } from '../../exchange/http-exchange-context.ts';
import { defaultHeadLimits, type HeadLimits } from '../../http/request-head.ts';
import type { ClientTimeouts } from '../http1/connection-context.ts';
import type { ProtocolServer } from '../protocol-server.ts';
import { TrackedConnections } from '../tracked-connections.ts';
import type { Http2Context } from './connection-context.ts';
import { Http2Connection } from './http2-connection.ts';

export interface Http2ServerOptions {
  readonly context: HttpExchangeContext;
  readonly timeouts: ClientTimeouts;
  readonly limits?: HeadLimits;
  /** `HTTP2_MAX_CONCURRENT_STREAMS`. Default 100. */
  readonly mostStreams?: number;
}

/** What the connections of one server share. */
export function contextOf(
  { context, timeouts, limits = defaultHeadLimits, mostStreams }: Http2ServerOptions,
  connections: TrackedConnections,
): Http2Context {
  return {
    ...context,
    sweep: context.pool.sweep,
    timeouts,
    session: {
      enableConnectProtocol: true,
      maxConcurrentStreams: mostStreams ?? 100,
      maxHeadBytes: limits.headBytes,
      maxFields: limits.fields,
    },
    forget: (connection) => connections.remove(connection),
  };
}

/** Serves HTTP/2 on connections whose client has chosen it by ALPN or by its preface. */
export function createHttp2Server(options: Http2ServerOptions): ProtocolServer {
  const connections = new TrackedConnections();
  const shared = contextOf(options, connections);
  return {
    get open() {
      return connections.count;
    },
    accept(socket: Socket, entrypoint: EntrypointSetting, firstBytes?: Buffer): void {
      const connection = new Http2Connection(socket, entrypoint, shared);
      connections.add(connection);
      connection.start(firstBytes);
      if (connections.draining) connection.drain();
    },
    drain: (deadlineMs) => connections.drain(deadlineMs),
  };
}
