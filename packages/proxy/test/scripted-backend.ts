import { createServer, type Server, type Socket } from 'node:net';
import { until } from './until.ts';

/** One request as it came over the wire, read by a parser that shares nothing with the proxy's. */
export interface ReceivedRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** Flat name, value, name, value. */
  readonly headers: readonly string[];
  readonly head: string;
  body: string;
  trailers: string;
  whole: boolean;
  readonly socket: Socket;
  /** Counts the backend's connections from 1. */
  readonly connection: number;
}

export type Script = (request: ReceivedRequest, socket: Socket) => void;

/** A service that does on the wire what the test says: also refuse, reset, stall, truncate and lie about lengths. */
export interface ScriptedBackend {
  readonly port: number;
  readonly requests: ReceivedRequest[];
  readonly sockets: Set<Socket>;
  connections: number;
  /** Everything that ever arrived, as latin1. */
  received: string;
  /** When a request is whole. Default: 200 with method and target as body. */
  onRequest: Script;
  /** When its head is there. */
  onHead: Script;
  onConnection: (socket: Socket) => void;
  /** Bytes that belong to no request: a desync. */
  strayBytes: number;
  stop(): Promise<void>;
}

export function header(request: { readonly headers: readonly string[] }, name: string): string | undefined {
  for (let at = 0; at < request.headers.length; at += 2)
    if (request.headers[at]?.toLowerCase() === name) return request.headers[at + 1];
  return undefined;
}

export const echo: Script = (request, socket) => {
  const body = `${request.method} ${request.target}`;
  const sent = request.method === 'HEAD' ? '' : body;
  socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${sent}`);
};

/** A response that is written as it stands. */
export function responding(text: string, after: 'keep' | 'end' | 'reset' = 'keep'): Script {
  return (_request, socket) => {
    socket.write(text, 'latin1');
    if (after === 'end') socket.end();
    if (after === 'reset') setImmediate(() => socket.resetAndDestroy());
  };
}

export async function startBackend(): Promise<ScriptedBackend> {
  const server: Server = createServer({ allowHalfOpen: false, noDelay: true });
  const backend: ScriptedBackend = {
    port: 0,
    requests: [],
    sockets: new Set(),
    connections: 0,
    received: '',
    onRequest: echo,
    onHead: () => undefined,
    onConnection: () => undefined,
    strayBytes: 0,
    async stop() {
      for (const socket of backend.sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  server.on('connection', (socket) => {
    backend.connections += 1;
    backend.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => backend.sockets.delete(socket));
    backend.onConnection(socket);
    readRequests(socket, backend, backend.connections);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  Object.assign(backend, { port: address.port });
  return backend;
}

function readRequests(socket: Socket, backend: ScriptedBackend, connection: number): void {
  let unread = '';
  let current: ReceivedRequest | undefined;
  /** Of a large chunk that is not whole yet: its text is not put together for each piece of it. */
  let least = 0;
  socket.on('data', (bytes) => {
    const text = bytes.toString('latin1');
    backend.received += text;
    unread += text;
    for (;;) {
      if (current === undefined) {
        const end = unread.indexOf('\r\n\r\n');
        if (end === -1) return;
        const request = readHead(unread.slice(0, end + 4), socket, connection);
        if (request === undefined) {
          backend.strayBytes += unread.length;
          unread = '';
          return;
        }
        unread = unread.slice(end + 4);
        current = request;
        backend.requests.push(current);
        backend.onHead(current, socket);
      }
      if (unread.length < least) return;
      const rest = readBody(current, unread);
      least = typeof rest === 'number' ? rest : 0;
      if (typeof rest === 'number') return;
      unread = rest;
      current.whole = true;
      const request = current;
      current = undefined;
      backend.onRequest(request, socket);
    }
  });
}

function readHead(head: string, socket: Socket, connection: number): ReceivedRequest | undefined {
  const [line = '', ...lines] = head.slice(0, -4).split('\r\n');
  const match = /^([A-Z-]+) (\S+) (HTTP\/1\.[01])$/.exec(line);
  if (match === null) return undefined;
  const [, method = '', target = '', version = ''] = match;
  const headers = lines.flatMap((each) => [each.slice(0, each.indexOf(':')), each.slice(each.indexOf(':') + 1).trim()]);
  return { method, target, version, headers, head, body: '', trailers: '', whole: false, socket, connection };
}

/** Takes what is there of the body; returns what is left behind it, or while it is not whole how much there must be for more of it. */
function readBody(request: ReceivedRequest, unread: string): string | number {
  if (header(request, 'transfer-encoding') === undefined) {
    const length = Number(header(request, 'content-length') ?? 0);
    if (unread.length < length) return length;
    request.body = unread.slice(0, length);
    return unread.slice(length);
  }
  let at = 0;
  let body = '';
  for (;;) {
    const lineEnd = unread.indexOf('\r\n', at);
    if (lineEnd === -1) return 0;
    const size = Number.parseInt(unread.slice(at, lineEnd), 16);
    if (size === 0) {
      const end = unread.startsWith('\r\n', lineEnd + 2) ? lineEnd + 2 : unread.indexOf('\r\n\r\n', lineEnd) + 2;
      if (end === 1 || unread.length < end + 2) return 0;
      request.body = body;
      request.trailers = unread.slice(lineEnd + 2, end);
      return unread.slice(end + 2);
    }
    const next = lineEnd + 2 + size + 2;
    if (unread.length < next) return next;
    body += unread.slice(lineEnd + 2, lineEnd + 2 + size);
    at = next;
  }
}

/** Waits until so many requests have arrived whole. */
export function requestsArrived(backend: ScriptedBackend, count: number): Promise<void> {
  return until(() => backend.requests.filter((request) => request.whole).length >= count, 'requests at the backend');
}
