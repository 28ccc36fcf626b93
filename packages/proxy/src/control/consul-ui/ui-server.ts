import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Running, UsageError } from '@swarmgate/runtime';
import type { CertificateStore } from '../../server/tls/certificate-store.ts';
import { SecureEntrypoint } from '../../server/tls/secure-entrypoint.ts';

export interface UiServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Absent: without TLS. */
  readonly certificates?: CertificateStore;
  readonly onCall: (request: IncomingMessage, response: ServerResponse) => void;
  /** A call that asks for another protocol; everything that is sent on the socket is the listener's. */
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
  /** How often the two are looked at. */
  readonly checkMs: number;
}

/** A browser opens six connections, and one page of the UI holds as many blocking queries. */
export const uiServerLimits: UiServerLimits = {
  connections: 256,
  headBytes: 16 * 1024,
  headMs: 10_000,
  requestMs: 30_000,
  checkMs: 2_000,
};

export interface UiServer extends Running {
  readonly host: string;
  readonly port: number;
}

/** How long calls under way may take at the stop, in milliseconds. Blocking queries take that long. */
const stopPatienceMs = 500;

/** @throws UsageError `consul-ui-port-unusable` where the port cannot be opened */
export async function openUiServer(options: UiServerOptions): Promise<UiServer> {
  const { certificates } = options;
  const limits = { ...uiServerLimits, ...options.limits };
  const http = createHttpServer({
    maxHeaderSize: limits.headBytes,
    headersTimeout: limits.headMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: limits.checkMs,
  });
  http.on('request', options.onCall);
  // Without these listeners node would ask for the body, and answer for us, before anything is decided.
  http.on('checkContinue', options.onCall);
  http.on('checkExpectation', options.onCall);
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    options.onUpgrade(request, socket as Socket, head),
  );
  http.on('connect', (_request: IncomingMessage, socket: Duplex) => endWith(socket, '405 Method Not Allowed'));
  http.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) =>
    endWith(socket, unreadable[error.code ?? ''] ?? '400 Bad Request'),
  );
  const secure =
    certificates === undefined
      ? undefined
      : new SecureEntrypoint({ certificates, handshakeMs: limits.headMs }, (socket) => http.emit('connection', socket));

  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    if (secure === undefined) http.emit('connection', socket);
    else secure.accept(socket);
  });
  server.maxConnections = limits.connections;
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
          secure?.stop();
          http.close();
          resolve();
        });
        http.closeIdleConnections();
      });
      return stopping;
    },
  };
}

const unreadable: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

function endWith(socket: Duplex, status: string): void {
  if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  else socket.destroy();
}
