import type { RequestListener, Server, ServerOptions } from 'node:http';
import { createServer as createHttpsServer, type Server as SecureServer } from 'node:https';
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { guard } from '@swarmgate/runtime';
import { nodeHttp } from '@swarmgate/runtime/node-http';
import { boundConnections, boundHandshakes } from '@swarmgate/runtime/rest';
import type { AdminCertificate } from './admin-certificate.ts';

/** What listens on the admin port, and what reads its calls: two where the port speaks TLS. */
export interface AdminListener {
  readonly listening: TcpServer;
  readonly calls: Server | SecureServer;
  /** Of connections that have no call: in a handshake, or silent. */
  closeOthers(): void;
}

const minVersion = 'TLSv1.2';
/** How long a client may take over its first byte, and over a TLS handshake, in milliseconds. */
const usualHandshakeMs = 10_000;
const tlsRecord = 0x16;

export function createAdminListener(
  options: ServerOptions,
  most: number,
  certificate: AdminCertificate | undefined,
  onCall: RequestListener,
  handshakeTimeout = usualHandshakeMs,
): AdminListener {
  if (certificate === undefined) {
    const server = nodeHttp.createServer(options, onCall);
    boundConnections(server, most);
    return { listening: server, calls: server, closeOthers() {} };
  }
  const { cert, key } = certificate.current();
  const server = createHttpsServer(
    { ...options, cert, key, minVersion, handshakeTimeout, ALPNProtocols: ['http/1.1'] },
    onCall,
  );
  // node:tls only reports a handshake that takes too long, and keeps the connection open.
  const owner = { onFault: () => undefined };
  server.on(
    'tlsClientError',
    guard(owner, (_error: Error, secured: Socket) => {
      secured.destroy();
    }),
  );
  certificate.onChange((next) => server.setSecureContext({ cert: next.cert, key: next.key, minVersion }));
  boundConnections(server, most, 'secureConnection');
  const sockets = new Set<Socket>();
  const front = createTcpServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    passOn(socket, server, handshakeTimeout);
  });
  // In a TLS handshake, a connection is none yet that `boundConnections` counts.
  boundHandshakes(front, server, most);
  return {
    listening: front,
    calls: server,
    closeOthers() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** To the TLS server, or to a response that names what the client did wrong, by the first byte. */
function passOn(socket: Socket, server: SecureServer, lateMs: number): void {
  const late = setTimeout(() => socket.destroy(), lateMs);
  socket.once('close', () => clearTimeout(late));
  const owner = { onFault: () => socket.destroy() };
  socket.once(
    'data',
    guard(owner, (first: Buffer) => {
      clearTimeout(late);
      socket.pause();
      if (first[0] !== tlsRecord) {
        refusePlain(socket);
        return;
      }
      socket.unshift(first);
      server.emit('connection', socket);
    }),
  );
}

/** No redirect: a token that came with the call has passed in plain text by now, and its sender has to learn of that. */
function refusePlain(socket: Socket): void {
  const body = JSON.stringify({
    Status: 'NOK',
    Message:
      'this port takes HTTPS only (ADMIN_TLS is set): call it by https://, and replace a token that was sent by http://',
  });
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nX-Swarmgate-Reason: tls-needed\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroySoon(),
  );
}
