import type { Socket } from 'node:net';
import type { EntrypointSetting } from '@swarmgate/runtime';
import { defaultSessionOptions } from '../../../http/http2/session-options.ts';
import type { ProtocolServer } from '../../protocol-server.ts';
import { TrackedConnections } from '../../tracked-connections.ts';
import { contextOf, type Http2ServerOptions } from '../http2-server.ts';
import { ReferenceConnection } from './reference-connection.ts';

/**
 * `HTTP2=node`: serves HTTP/2 with the framing, HPACK and flow control of node:http2, and everything behind a stream as the
 * own server does. For comparison: where the two differ, one of them is wrong. It costs two to three times as much, and
 * the limits against floods are those of node:http2.
 */
export function createReferenceHttp2Server(options: Http2ServerOptions): ProtocolServer {
  const connections = new TrackedConnections();
  const context = contextOf(options, connections);
  const limits = { ...defaultSessionOptions, ...context.session };
  return {
    get open() {
      return connections.count;
    },
    accept(socket: Socket, entrypoint: EntrypointSetting, firstBytes?: Buffer): void {
      // node:http2 reads from the socket itself, first what waits in it.
      socket.pause();
      if (firstBytes !== undefined && firstBytes.length > 0) socket.unshift(firstBytes);
      const connection = new ReferenceConnection(socket, entrypoint, context, limits);
      connections.add(connection);
      if (connections.draining) connection.drain();
    },
    drain: (deadlineMs) => connections.drain(deadlineMs),
  };
}
