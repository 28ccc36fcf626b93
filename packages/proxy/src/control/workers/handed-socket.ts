import type { SendHandle } from 'node:child_process';
import { Socket } from 'node:net';

/**
 * A connection on its way between processes. node:net reads a socket that a process receives at once, so that one that is
 * only passed on would lose its first bytes; the handle below it is not read. It is Node's own, and where a Node does not have
 * it in this form, connections stay with the worker that accepted them.
 */
export interface SocketHandle {
  readStop(): number;
  close(): void;
}

/** The handle of a connection of which nothing has been read, kept from being read. `undefined`: it cannot be handed over. */
export function unreadHandle(socket: Socket): SocketHandle | undefined {
  if (!('_handle' in socket) || !isSocketHandle(socket._handle)) return undefined;
  if (socket.readableLength > 0 || socket.bytesRead > 0) return undefined;
  return socket._handle.readStop() === 0 ? socket._handle : undefined;
}

export function isSocketHandle(value: unknown): value is SocketHandle {
  return (
    typeof value === 'object' &&
    value !== null &&
    'readStop' in value &&
    typeof value.readStop === 'function' &&
    'close' in value &&
    typeof value.close === 'function'
  );
}

/** A connection as `accept` gives it, of a handle that another process accepted. */
export function socketOf(handle: SocketHandle): Socket {
  // The types of Node leave out handles that it takes itself in the same way.
  const options: object = { handle, allowHalfOpen: true };
  return new Socket(options);
}

/** Node sends handles as it does between its own processes; its types have only the objects around them. */
export function sendable(handle: SocketHandle): SendHandle {
  return handle as unknown as SendHandle;
}
