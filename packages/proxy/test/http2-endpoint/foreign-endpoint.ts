import {
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import type { Endpoint } from '../../src/model/endpoint.ts';
import { testCertificate } from '../test-certificate.ts';
import { endpointAt } from '../test-context.ts';

/** One request as Node's own HTTP/2 server has it. */
export interface SeenRequest {
  readonly headers: IncomingHttpHeaders;
  body: string;
  trailers: IncomingHttpHeaders;
  whole: boolean;
  /** Counts the endpoint's connections from 1. */
  readonly connection: number;
}

export type Act = (stream: ServerHttp2Stream, seen: SeenRequest) => void;

/** A service of Node's HTTP/2 server: shares nothing with the proxy's session. */
export interface ForeignEndpoint {
  readonly endpoint: Endpoint;
  readonly seen: SeenRequest[];
  readonly sessions: Set<ServerHttp2Session>;
  connections: number;
  /** When the head is there. Default: nothing. */
  onHead: Act;
  /** When the request is whole. Default: 200 with method and path. */
  onRequest: Act;
  stop(): Promise<void>;
}

export const echo: Act = (stream, { headers }) => {
  const body = `${headers[':method']} ${headers[':path']}`;
  stream.respond({ ':status': 200, 'content-length': body.length });
  stream.end(body);
};

/** @param secure TLS with ALPN `h2` */
export async function startEndpoint(options: ServerOptions = {}, secure = false): Promise<ForeignEndpoint> {
  const server: Http2Server = secure
    ? createSecureServer({ ...options, ...(await testCertificate(['a.test'])) })
    : createServer(options);
  const foreign: ForeignEndpoint = {
    endpoint: endpointAt(0),
    seen: [],
    sessions: new Set(),
    connections: 0,
    onHead: () => undefined,
    onRequest: echo,
    async stop() {
      for (const session of foreign.sessions) session.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  const numbers = new WeakMap<object, number>();
  server.on('session', (session) => {
    foreign.connections += 1;
    numbers.set(session, foreign.connections);
    foreign.sessions.add(session);
    session.on('close', () => foreign.sessions.delete(session));
    session.on('error', () => undefined);
  });
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const connection = numbers.get(stream.session as object) ?? 0;
    const seen: SeenRequest = { headers, body: '', trailers: {}, whole: false, connection };
    foreign.seen.push(seen);
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => {
      seen.body += chunk.toString('latin1');
    });
    stream.on('trailers', (trailers) => {
      seen.trailers = trailers;
    });
    stream.on('end', () => {
      seen.whole = true;
      if (!stream.destroyed) foreign.onRequest(stream, seen);
    });
    foreign.onHead(stream, seen);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return Object.assign(foreign, { endpoint: endpointAt(address.port, { secure, http2: true }) });
}
