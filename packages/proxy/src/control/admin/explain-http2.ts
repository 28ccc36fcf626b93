import type { Route } from '../../model/route.ts';

/** The protocol to the endpoints of the route: its label, and `sslVerifyNone`, which is TLS. */
export type UpstreamProtocol = 'http1' | 'h2c' | 'h2' | 'grpc';

/** What an HTTP/2 client of a route meets beyond what one of HTTP/1.1 does. */
export interface Http2Explanation {
  /** How the entrypoint speaks HTTP/2: after ALPN, by prior knowledge, or not at all (`HTTP2=false`). */
  readonly spoken: 'alpn' | 'prior-knowledge' | 'off';
  /** A connection that was made under another host's certificate, or another rule for client certificates, gets 421. */
  readonly misdirected: boolean;
  /** `null`: the request reaches no endpoint. */
  readonly upstream: UpstreamProtocol | null;
  /**
   * A WebSocket of the client (RFC 8441) goes to the endpoint as an upgrade of HTTP/1.1, or by extended CONNECT where the
   * endpoint announces that, else the response is 501.
   */
  readonly webSocket: 'upgrade' | 'extended-connect' | null;
  /** A gRPC call is passed on with its trailers, or meets a service of HTTP/1.1. */
  readonly grpc: 'passes' | 'not-spoken' | null;
  /** Calls of gRPC-Web are translated (`grpcWeb`). */
  readonly grpcWeb: boolean;
}

export function upstreamProtocolOf({ destination, upstreamSecure }: Route): UpstreamProtocol {
  const { protocol = 'http1' } = destination;
  return protocol === 'h2c' && upstreamSecure ? 'h2' : protocol;
}

/** @param isLocal the proxy responds itself: the request reaches no endpoint of the route */
export function explainHttp2(
  route: Route | undefined,
  isLocal: boolean,
  { secure, isServed }: { readonly secure: boolean; readonly isServed: boolean },
): Http2Explanation {
  const upstream = route === undefined || isLocal ? null : upstreamProtocolOf(route);
  const isHttp1 = upstream === 'http1';
  return {
    spoken: !isServed ? 'off' : secure ? 'alpn' : 'prior-knowledge',
    misdirected: isServed && secure,
    upstream,
    webSocket: upstream === null ? null : isHttp1 ? 'upgrade' : 'extended-connect',
    grpc: upstream === null ? null : isHttp1 ? 'not-spoken' : 'passes',
    grpcWeb: upstream !== null && route?.destination.grpcWeb === true,
  };
}
