import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { guard, guardPromise, type Logger } from '@swarmgate/runtime';
import { connectionOwner } from '../../server/connection-owner.ts';
import { type ProxiedConnections, presentAs } from '../../server/proxy-protocol/proxied-connections.ts';

/** From now on each connection of the server begins with a PROXY header, and has the client's address that it gives. */
export function readProxyHeaders(server: Server, proxied: ProxiedConnections, logger: Pick<Logger, 'error'>): void {
  const listeners = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  /** Clients' addresses by the other end of their connection, until TLS is set up on it. */
  const sources = new Map<string, string>();
  const serve = async (socket: Socket) => {
    socket.on('error', () => socket.destroy());
    const read = await proxied.read(socket);
    if (read === undefined || socket.destroyed) return;
    if (read.source !== undefined) {
      const peer = peerOf(socket);
      sources.set(peer, read.source);
      socket.once('close', () => sources.delete(peer));
      presentAs(socket, read.source);
    }
    if (read.firstBytes.length > 0) socket.unshift(read.firstBytes);
    for (const listener of listeners) listener.call(server, socket);
  };
  server.on('connection', (socket: Socket) => {
    const owner = connectionOwner(socket, logger);
    guardPromise(owner, serve(socket));
  });
  server.prependListener('secureConnection', (secured: TLSSocket) => {
    guard(connectionOwner(secured, logger), () => {
      const source = sources.get(peerOf(secured));
      if (source !== undefined) presentAs(secured, source);
    })();
  });
}

/** No two connections to one port have the same. */
function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
