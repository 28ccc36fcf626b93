import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/**
 * Ends a connection so that what was sent on it cannot look complete: by a reset, and under TLS without the closing
 * alert, which says the same (RFC 9112, section 9.8).
 */
export function cutOff(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
