import type { Socket } from 'node:net';
import type { FaultOwner, Logger } from '@swarmgate/runtime';

/** Owns the callbacks of a client's connection while no protocol server does: a fault is logged and ends that connection. */
export function connectionOwner(socket: Socket, logger: Pick<Logger, 'error'>): FaultOwner {
  return {
    onFault(error) {
      logger.error({ err: error, peer: socket.remoteAddress }, 'a connection failed');
      socket.destroy();
    },
  };
}
