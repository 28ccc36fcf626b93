import type { ClientCertificate } from './client-certificate.ts';
import type { Endpoint } from './endpoint.ts';
import type { HeaderList } from './header-list.ts';
import type { Route } from './route.ts';

/** Protocol of the client's request, as the access record and the metrics name it. */
export type Protocol = 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2';

/**
 * One exchange as middleware sees it: no sockets, no protocol. The exchange makes it from the request view, the route's
 * steps change it, then it is forwarded or gets a local response.
 */
export interface Exchange {
  readonly route: Route;
  readonly method: string;
  /** Normal form; a step may replace it (path rewriting). */
  path: string;
  /** `path` before a step rewrote it. */
  rewrittenFrom?: string;
  /** How the client spelled a path that is not in normal form: forwarded for as long as no step replaces `path`. */
  spelling?: PathSpelling;
  /** `OPTIONS *`: looked up as `/`, forwarded as `*` while `path` stays so. */
  asterisk?: true;
  /** With its `?`, or empty. As the client sent it, unless Express middleware has changed it. */
  query: string;
  readonly host: string;
  readonly request: HeaderList;
  readonly client: ClientConnection;
  /** Protocol that the client offers to change to (`Upgrade`), lower case. Absent for other requests. */
  upgrade?: string;
  /** What earlier steps found out: the user's name, the endpoint that a cookie names. */
  user?: string;
  /** Set by a step: a call of gRPC-Web, translated to gRPC. */
  grpcWeb?: GrpcWebCall;
  stickTo?: string;
  /** Set by a step: the request goes to the endpoints of this route, past plug-ins. */
  forwardsTo?: Route;
  /** Set by a step: X-Forwarded-Prefix of the request is the proxy's own. */
  prefixIsOurs?: true;
  /** Set by a step: attempts that the request may make. */
  mostTries?: number;
  /** Set by a step: bytes of the request's body that are taken, chunked framing not counted. */
  mostBodyBytes?: number;
  /** What steps do when the exchange ends: see `whenEnded`. */
  atEnd?: ((end: ExchangeEnd) => void)[];
  /** Set once it has ended. */
  end?: ExchangeEnd;
  /** How long an auth service took to decide, in milliseconds. */
  authMs?: number;
  /** Set by a step: the client's connection closes after this response, where its protocol has such a notion. */
  closesConnection?: boolean;
}

export interface GrpcWebCall {
  /** Messages as bytes, or as base64. */
  readonly form: 'binary' | 'text';
  /** Value of `grpc-timeout`. */
  readonly timeout: string | undefined;
}

/** How an exchange ended, for its steps. */
export interface ExchangeEnd {
  readonly status: number;
  readonly reason: string | undefined;
  readonly durationMs: number;
}

/** Calls `act` once, when the exchange ends; at once where a client has left before a step that had to wait. */
export function whenEnded(exchange: Exchange, act: (end: ExchangeEnd) => void): void {
  if (exchange.end !== undefined) act(exchange.end);
  else if (exchange.atEnd === undefined) exchange.atEnd = [act];
  else exchange.atEnd.push(act);
}

export interface PathSpelling {
  readonly normal: string;
  /** Dot segments are resolved; everything else is as sent. */
  readonly sent: string;
}

/** The path that the endpoint receives. */
export function forwardedPath({ path, spelling }: Pick<Exchange, 'path' | 'spelling'>): string {
  return spelling !== undefined && spelling.normal === path ? spelling.sent : path;
}

/** The target that the endpoint receives. */
export function forwardedTarget(exchange: Pick<Exchange, 'path' | 'spelling' | 'asterisk' | 'query'>): string {
  return exchange.asterisk === true && exchange.path === '/' ? '*' : forwardedPath(exchange) + exchange.query;
}

export interface ClientConnection {
  /**
   * Of the client itself: from X-Forwarded-For or PROXY only where the hop is trusted. `unknown`, or an identifier that
   * begins with `_`, where that hop names no address.
   */
  readonly address: string;
  readonly entryPort: number;
  /** Under which clients reach the entrypoint, where `PUBLISHED_PORTS` names another one. */
  readonly publishedPort?: number;
  /** The client's own connection ended TLS here. */
  readonly secure: boolean;
  /** What the client used towards the first trusted hop: `https` behind a TLS load balancer. */
  readonly scheme: 'http' | 'https';
  readonly trustedHop: boolean;
  /** X-Forwarded-Port of a trusted hop. Absent where it sent none that is a port. */
  readonly forwardedPort?: number;
  /** Set on TLS when a client certificate was sent and verified against `CA_FILE`. */
  readonly certificateVerified: boolean;
  /** Reads that certificate. Absent: none was verified. */
  readonly certificate?: () => ClientCertificate | undefined;
  /** The connection was made under another rule for client certificates than `CA_FILE`: no proof for routes that require one. */
  readonly misdirected?: true;
}

/** The head of an endpoint's response, for the route's steps. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: HeaderList;
  readonly endpoint: Endpoint;
}
