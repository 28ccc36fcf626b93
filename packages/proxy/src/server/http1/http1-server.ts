import type { Socket } from 'node:net';
import type { EntrypointSetting } from '@swarmgate/runtime';
import type { HttpExchangeContext } from '../../exchange/http-exchange-context.ts';
import { type HeadLimits, RequestHead } from '../../http/request-head.ts';
import type { ProtocolServer } from '../protocol-server.ts';
import { TrackedConnections } from '../tracked-connections.ts';
import { Http1Connection } from './connection.ts';
import type { ClientTimeouts, ConnectionContext } from './connection-context.ts';

export interface Http1ServerOptions {
  readonly context: HttpExchangeContext;
  readonly timeouts: ClientTimeouts;
  readonly limits?: HeadLimits;
  /** Takes over connections that begin with the preface of HTTP/2. Default: none; they are refused. */
  readonly onHttp2?: ProtocolServer['accept'];
  /** That reads in place, too. Default: it needs a stream of data. */
  readonly mayReadInPlace?: boolean;
}

/** Serves HTTP/1.0 and HTTP/1.1 on connections that the entrypoints accept. */
export function createHttp1Server(options: Http1ServerOptions): ProtocolServer {
  const { context, timeouts, limits, onHttp2, mayReadInPlace = false } = options;
  const connections = new TrackedConnections();

  const shared: ConnectionContext = {
    ...context,
    sweep: context.pool.sweep,
    timeouts,
    ...(onHttp2 === undefined ? {} : { onHttp2 }),
    mayReadInPlace,
    head: new RequestHead(limits),
    get draining() {
      return connections.draining;
    },
    forget: (connection) => connections.remove(connection),
  };

  return {
    get open() {
      return connections.count;
    },
    accept(socket: Socket, entrypoint: EntrypointSetting, firstBytes?: Buffer): void {
      const connection = new Http1Connection(socket, entrypoint, shared);
      connections.add(connection);
      connection.start(firstBytes);
    },
    drain: (deadlineMs) => connections.drain(deadlineMs),
  };
}
