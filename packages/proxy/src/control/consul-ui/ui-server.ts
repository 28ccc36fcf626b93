import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { guard, type Logger, type Running, UsageError } from '@swarmgate/runtime';
import { boundConnections, boundHandshakes } from '@swarmgate/runtime/rest';
import { connectionOwner } from '../../server/connection-owner.ts';
import type { ProxiedConnections } from '../../server/proxy-protocol/proxied-connections.ts';
import type { CertificateStore } from '../../server/tls/certificate-store.ts';
import { readProxyHeaders } from './behind-proxy.ts';

export interface UiServerOptions {
  readonly logger: Pick<Logger, 'error'>;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Default: no port has a PROXY header. */
  readonly proxied?: ProxiedConnections;
  /** Absent: without TLS. */
  readonly certificates?: CertificateStore;
  readonly onCall: (request: IncomingMessage, response: ServerResponse) => void;
  /** A call that requests another protocol; everything that is sent on the socket is the listener's. */
  readonly onUpgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
  readonly limits?: Partial<UiServerLimits>;
}

export interface UiServerLimits {
  readonly connections: number;
  /** Of a request's line and fields. */
  readonly headBytes: number;
  /** How long a TLS handshake or a request's head may take. */
  readonly headMs: number;
  /** How long a request with its body may take to arrive. */
  readonly requestMs: number;
  /** How long a connection on which nothing moves stays: more than a blocking query takes. */
  readonly idleMs: number;
  /** How often the time of heads and requests is looked at. */
  readonly checkMs: number;
}

/** A browser opens six connections, and one page of the UI holds as many blocking queries. */
export const uiServerLimits: UiServerLimits = {
  connections: 256,
  headBytes: 16 * 1024,
  headMs: 10_000,
  requestMs: 30_000,
  idleMs: 660_000,
  checkMs: 2_000,
};

export interface UiServer extends Running {
  readonly host: string;
  readonly port: number;
}

/** Connections beyond both bounds: one is accepted before it closes another, and this machine has a reserve. */
const roomToClose = 128;

/** How long calls under way may take at the stop, in milliseconds. Blocking queries take that long. */
const stopPatienceMs = 500;

/** @throws UsageError `consul-ui-port-unusable` where the port cannot be opened */
export async function openUiServer(options: UiServerOptions): Promise<UiServer> {
  const { certificates } = options;
  const limits = { ...uiServerLimits, ...options.limits };
  const bounds = {
    maxHeaderSize: limits.headBytes,
    headersTimeout: limits.headMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: limits.checkMs,
  };
  const server = certificates === undefined ? createServer(bounds) : secureServer(bounds, limits.headMs, certificates);
  const stopFollowing = certificates?.onNameless(({ cert, key }) => {
    if (server instanceof SecureServer) server.setSecureContext({ cert, key, minVersion });
  });
  // A client that reads no more would otherwise hold its response, and its place among calls in flight.
  server.setTimeout(limits.idleMs);
  // A fault costs its connection: what was sent of a response cannot be taken back.
  const ownerOf = (socket: Socket) => connectionOwner(socket, options.logger);
  server.on('request', (request: IncomingMessage, response: ServerResponse) =>
    guard(ownerOf(request.socket), () => options.onCall(request, response))(),
  );
  // Without these listeners node would respond by itself before anything is decided.
  for (const expectation of ['checkContinue', 'checkExpectation'])
    server.on(expectation, (request, response) => server.emit('request', request, response));
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    guard(ownerOf(request.socket), () => options.onUpgrade(request, socket as Socket, head))(),
  );
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => endWith(socket, '405 Method Not Allowed'));
  server.on('clientError', rejectUnreadable);
  if (options.proxied?.isOn(options.port) === true) readProxyHeaders(server, options.proxied, options.logger);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  boundConnections(server, limits.connections, certificates === undefined ? 'connection' : 'secureConnection');
  // In a TLS handshake, or before its PROXY header, a connection is none of those yet.
  if (server instanceof SecureServer) boundHandshakes(server, server, limits.connections);
  server.maxConnections = 2 * limits.connections + roomToClose;
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: Error) =>
      reject(
        new UsageError(
          'consul-ui-port-unusable',
          `CONSUL_UI_PORT ${options.port} on ${options.host} cannot be opened (${error.message}): choose another CONSUL_UI_PORT or ADMIN_HOST`,
          { cause: error },
        ),
      );
    server.once('error', refuse);
    server.listen(options.port, options.host, () => {
      server.removeListener('error', refuse);
      resolve();
    });
  });
  const { address, port } = server.address() as AddressInfo;
  let stopping: Promise<void> | undefined;
  return {
    host: address,
    port,
    stop: () => {
      stopping ??= new Promise((resolve) => {
        const late = setTimeout(() => {
          for (const socket of sockets) socket.destroy();
        }, stopPatienceMs);
        server.close(() => {
          clearTimeout(late);
          stopFollowing?.();
          resolve();
        });
        server.closeIdleConnections();
      });
      return stopping;
    },
  };
}

const minVersion = 'TLSv1.2';

function secureServer(bounds: ServerOptions, handshakeTimeout: number, certificates: CertificateStore): SecureServer {
  return createSecureServer({
    ...bounds,
    minVersion,
    handshakeTimeout,
    ALPNProtocols: ['http/1.1'],
    SNICallback: (name, callback) => callback(null, certificates.contextFor(name)),
  });
}

/** Reading a head failed, which can be served, or the connection or its TLS handshake did. */
function rejectUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  const { code = '' } = error;
  const status = unreadable[code] ?? (code.startsWith('HPE_') ? '400 Bad Request' : undefined);
  if (status === undefined) socket.destroy();
  else endWith(socket, status);
}

const unreadable: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

function endWith(socket: Duplex, status: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  // Not only its own half: a client that has no time to send has none to close either.
  socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`, () => socket.destroy());
}
