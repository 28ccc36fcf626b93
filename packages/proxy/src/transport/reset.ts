import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** Where a connection that TLS was set up on by the proxy as the server keeps the one under it. */
const under = Symbol('under');

interface SecuredSocket extends TLSSocket {
  [under]?: Socket;
}

/** From now on a reset of `secured` resets the connection under it. */
export function noteUnder(secured: TLSSocket, socket: Socket): void {
  (secured as SecuredSocket)[under] = socket;
}

/**
 * Closes a connection so that the other side cannot take it for an orderly end: a reset, which the other side gets before
 * what it has not read, and after which the system keeps nothing to send. Over TLS the connection below is reset, without a
 * closing alert (RFC 9112, section 9.8). A connection to an endpoint over TLS has none of its own below, as its bytes are
 * read into static buffers: it is closed without the alert, which means the same.
 */
export function reset(socket: Socket): void {
  if (!(socket instanceof TLSSocket)) socket.resetAndDestroy();
  else {
    (socket as SecuredSocket)[under]?.resetAndDestroy();
    socket.destroy();
  }
}
