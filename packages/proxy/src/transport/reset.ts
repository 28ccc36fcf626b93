import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/**
 * Closes a connection so that the other side cannot take it for an orderly end: a reset, or for TLS a missing closing
 * alert, which means the same (RFC 9112, section 9.8).
 */
export function reset(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
