import type { Socket } from 'node:net';

/**
 * Writes chunks, of which there is one at least, with one call of the system.
 * @param onWritten called when the system has taken all of them, with what went wrong
 */
export function writeTogether(
  socket: Socket,
  chunks: readonly Uint8Array[],
  onWritten?: (error?: Error | null) => void,
): void {
  const last = chunks.length - 1;
  if (last > 0) socket.cork();
  for (let at = 0; at < last; at++) socket.write(chunks[at] as Uint8Array);
  socket.write(chunks[last] as Uint8Array, onWritten);
  if (last > 0) socket.uncork();
}
