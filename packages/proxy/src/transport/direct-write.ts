import { writeSync, writevSync } from 'node:fs';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** What stands before and behind a piece: a head, and the framing of a chunk. Longer text is not written directly. */
const mostTextBytes = 16_384;
const beforeBytes = Buffer.allocUnsafeSlow(mostTextBytes);
const afterBytes = Buffer.allocUnsafeSlow(mostTextBytes);

interface ReadableHandle {
  readonly fd?: number;
}

/**
 * Offers text, a piece and text to the system at once, beside Node's stream, which keeps what the system has not taken where it is:
 * such bytes could not be in a buffer that the next read overwrites. `before` and `after` are latin1.
 *
 * Node has no such call for sockets, so it is that of files, by the descriptor of the socket's handle: not blocking, as all sockets of libuv.
 * @returns bytes of all three that were taken; 0 as well where this Node does not tell the descriptor, or where something waits before
 */
export function writeDirectly(
  socket: Socket,
  before: string,
  bytes: Buffer,
  from: number,
  to: number,
  after: string,
): number {
  // Below TLS everything has to be encrypted.
  if (!socket.writable || socket.writableLength > 0 || socket.connecting || socket instanceof TLSSocket) return 0;
  if (before.length > mostTextBytes || after.length > mostTextBytes) return 0;
  const { _handle: handle } = socket as unknown as { readonly _handle?: ReadableHandle | null };
  const fd = handle?.fd;
  if (typeof fd !== 'number' || fd < 0) return 0;
  try {
    if (before === '' && after === '') return writeSync(fd, bytes, from, to - from);
    const pieces: Buffer[] = [];
    if (before !== '') pieces.push(beforeBytes.subarray(0, beforeBytes.write(before, 'latin1')));
    pieces.push(bytes.subarray(from, to));
    if (after !== '') pieces.push(afterBytes.subarray(0, afterBytes.write(after, 'latin1')));
    return writevSync(fd, pieces);
  } catch {
    // The system takes nothing now, or never again: the stream finds out which.
    return 0;
  }
}
