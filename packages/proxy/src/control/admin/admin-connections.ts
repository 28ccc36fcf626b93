import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { descriptorLimit, plainAddress } from '@swarmgate/runtime';

/** Beyond the limit for this machine itself, which calls `/healthz`: more calls under way do not keep it out. */
const reserveForLoopback = 64;
const leastConnections = 8;

/**
 * Bounds the connections of the admin port. At the limit a new one closes the one that has been without a call for the
 * longest, those of other machines first: connections that stay silent take no place from a call.
 *
 * @param event `secureConnection` for a server that ends TLS, whose calls come by its own sockets
 */
export function boundConnections(
  server: Server,
  most: number,
  event: 'connection' | 'secureConnection' = 'connection',
): void {
  // Without a call, in the order since when.
  const waiting = { remote: new Set<Socket>(), loopback: new Set<Socket>() };
  const waitingWith = (socket: Socket) => (isLoopback(socket.remoteAddress) ? waiting.loopback : waiting.remote);
  let open = 0;
  // Of few descriptors most are left to the connections of clients.
  const share = Math.max(leastConnections, Math.floor((descriptorLimit() ?? Number.POSITIVE_INFINITY) / 32));
  const mostOpen = Math.min(most, share);
  const reserve = Math.min(reserveForLoopback, share);
  server.on(event, (socket: Socket) => {
    const own = waitingWith(socket);
    if (open >= mostOpen) {
      const [longest] = waiting.remote.size > 0 ? waiting.remote : waiting.loopback;
      if (longest !== undefined) {
        waiting.remote.delete(longest);
        waiting.loopback.delete(longest);
        longest.destroy();
      } else if (own === waiting.remote || open >= mostOpen + reserve) {
        socket.destroy();
        return;
      }
    }
    open += 1;
    own.add(socket);
    socket.once('close', () => {
      open -= 1;
      own.delete(socket);
    });
  });
  server.on('request', ({ socket }, response) => {
    const own = waitingWith(socket);
    own.delete(socket);
    response.once('close', () => {
      if (!socket.destroyed) own.add(socket);
    });
  });
}

function isLoopback(address: string | undefined): boolean {
  const plain = plainAddress(address ?? '');
  return plain.startsWith('127.') || plain === '::1';
}
