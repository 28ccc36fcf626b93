import type { Server } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { Socket, Server as TcpServer } from 'node:net';
import { descriptorLimit } from '../descriptors.ts';
import { plainAddress } from '../networks.ts';

/** Beyond the limit for this machine itself, which calls `/healthz`: more calls under way do not keep it out. */
const reserveForLoopback = 64;
const leastConnections = 8;

/**
 * Bounds the connections of a REST port. At the limit a new one closes the one that has been without a call for the
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
  const share = descriptorShare();
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

/**
 * Bounds the connections in a TLS handshake: at the limit a new one closes the one that has taken longest, those of other
 * machines first. Connections that never complete theirs keep no call out, however often they are opened.
 * @param front accepts the connections
 * @param server ends TLS
 */
export function boundHandshakes(front: TcpServer, server: SecureServer, most: number): void {
  const begun = { remote: new Map<string, Socket>(), loopback: new Map<string, Socket>() };
  const begunWith = (socket: Socket) => (isLoopback(socket.remoteAddress) ? begun.loopback : begun.remote);
  const peerOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;
  const mostBegun = Math.min(most, descriptorShare());
  front.on('connection', (socket: Socket) => {
    const own = begunWith(socket);
    const peer = peerOf(socket);
    if (begun.remote.size + begun.loopback.size >= mostBegun) {
      const longest = begun.remote.size > 0 ? begun.remote : begun.loopback;
      for (const [key, each] of longest) {
        longest.delete(key);
        each.destroy();
        break;
      }
    }
    own.set(peer, socket);
    socket.once('close', () => {
      if (own.get(peer) === socket) own.delete(peer);
    });
  });
  // First of all: others may present it under the address of its PROXY header.
  server.prependListener('secureConnection', (secured: Socket) => begunWith(secured).delete(peerOf(secured)));
}

/** Of few descriptors most are left to the connections of clients. */
function descriptorShare(): number {
  return Math.max(leastConnections, Math.floor((descriptorLimit() ?? Number.POSITIVE_INFINITY) / 32));
}

function isLoopback(address: string | undefined): boolean {
  const plain = plainAddress(address ?? '');
  return plain.startsWith('127.') || plain === '::1';
}
