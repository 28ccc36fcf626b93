import type { Socket } from 'node:net';

/**
 * Has the system show that a client takes so many bytes of its connection's output from one look at it to the next. What is
 * written to a corked socket then stays there.
 */
export function takesByEachLook(socket: Socket, bytes: number): void {
  const { _handle: handle } = socket as unknown as { readonly _handle: object };
  let taken = 0;
  // Nothing is written beside the stream.
  Object.defineProperty(handle, 'fd', { value: -1 });
  Object.defineProperty(handle, 'bytesWritten', {
    get() {
      taken += bytes;
      return taken;
    },
  });
}
