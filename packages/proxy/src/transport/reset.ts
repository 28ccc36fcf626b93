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

/** The handle of a connection of the network (`uv_tcp_t`), below the one of TLS that node:tls opened itself. */
interface TcpHandle {
  close(done?: () => void): void;
  reset(done?: () => void): number;
}

/**
 * Closes a connection so that the other side cannot take it for an orderly end: a reset, which the other side gets before
 * what it has not read, and after which the system keeps nothing to send. Over TLS the connection below is reset, without a
 * closing alert (RFC 9112, section 9.8).
 */
export function reset(socket: Socket): void {
  if (!(socket instanceof TLSSocket)) {
    socket.resetAndDestroy();
    return;
  }
  const socketBelow = (socket as SecuredSocket)[under];
  if (socketBelow !== undefined) socketBelow.resetAndDestroy();
  else closeByReset(socket);
  socket.destroy();
}

/**
 * Closes a connection whose other side is silent. An orderly end would leave what it does not take to the system, in some
 * megabytes of its memory for minutes.
 */
export function closeSilent(socket: Socket): void {
  if (socket.writableLength > 0) reset(socket);
  else socket.destroy();
}

/**
 * A connection to an endpoint over TLS has no socket below, as its bytes are read into static buffers, and node:tls offers no
 * reset: its handle closes the one below, which is a reset from now on. Without that handle, a missing closing alert is all
 * that the other side gets.
 */
function closeByReset(socket: TLSSocket): void {
  const { _handle: handle } = socket as { readonly _handle?: { readonly _parent?: TcpHandle } | null };
  const below = handle?._parent;
  if (typeof below?.reset !== 'function') return;
  const close = below.close.bind(below);
  below.close = (done) => {
    // Not possible while its end is being sent.
    if (below.reset(done) !== 0) close(done);
  };
}
