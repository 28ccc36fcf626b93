import type { FaultOwner } from '@swarmgate/runtime';
import type { Endpoint } from '../model/endpoint.ts';
import type { OutgoingRequest } from './outgoing-request.ts';
import type { ResponseConsumer } from './response-reader.ts';

/** Takes the response of one exchange, and what becomes of its connection. */
export interface ResponseReceiver extends ResponseConsumer, FaultOwner {
  /** How long the endpoint may stay silent, before the head and between pieces. A head may change it. */
  readonly silenceMs: number;
  /** The connection was closed, reset, or sent what cannot be read, before the response was complete. */
  onBroken(cause: ConnectionFault): void;
  /** The connection takes more of the request's body, or of the tunnel's bytes. */
  onWritable(): void;
  onConnected(): void;
  /** The endpoint has had the whole request for `silentMs` and has sent nothing. It may be slow, or gone. */
  onSilence(silentMs: number): void;
}

/** Takes what an endpoint sends after its 101. */
export interface TunnelReceiver extends FaultOwner {
  /** Returns `true` if `bytes` are still in use afterwards. */
  onTunnelBytes(bytes: Buffer, from: number, to: number): boolean;
  /** The endpoint sends no more; it may still read. */
  onTunnelEnd(): void;
  /** The connection is closed. Without `onTunnelEnd` before it: reset. */
  onTunnelClosed(): void;
  onWritable(): void;
}

/** What an endpoint speaks instead of the protocol that its service's label names. */
export type SpokenProtocol = 'http1' | 'http2' | 'tls' | 'plain' | 'none';

export type ConnectionFault =
  | { readonly kind: 'refused'; readonly error: Error | undefined }
  | { readonly kind: 'connect-timeout' }
  /** This machine could not open the connection. */
  | { readonly kind: 'local-shortage' }
  | { readonly kind: 'closed'; readonly error: Error | undefined }
  | { readonly kind: 'silent' }
  | { readonly kind: 'invalid'; readonly cause: string }
  /** The endpoint has not processed the request, whatever its method: it says so (RFC 9113, section 8.7), or nothing left. */
  | { readonly kind: 'unprocessed' }
  /** The endpoint does not speak its label's protocol. `none`: its protocol is not known; `plain`: no TLS. */
  | { readonly kind: 'wrong-protocol'; readonly spoken: SpokenProtocol }
  /** HTTP/2: the endpoint has not announced that it takes upgrades (RFC 8441). */
  | { readonly kind: 'no-upgrades' };

/** Carries one request to an endpoint and its response back: a connection of HTTP/1.1, or a stream of HTTP/2. */
export interface EndpointChannel {
  readonly endpoint: Endpoint;
  /** The request can leave: the endpoint is connected and, for HTTP/2, its SETTINGS have arrived. */
  readonly connected: boolean;
  /** Any byte of the response has arrived. */
  readonly responding: boolean;
  /** The connection has been idle after other exchanges, so the endpoint may have closed it meanwhile. */
  readonly wasIdle: boolean;
  /** More of the body may be written: connected, and the endpoint keeps up. */
  readonly takesBody: boolean;
  /** Nothing of the request has left, although it was written: the connection was closed. Default: some has. */
  readonly isUnsent?: boolean;
  /** Trailer lines of a response that is complete. */
  readonly trailers: string;
  send(request: OutgoingRequest, receiver: ResponseReceiver): void;
  /** Sends a piece of the body, which holds only during the call. Returns `false` where the caller waits for `onWritable`. */
  writeBody(bytes: Buffer, from: number, to: number): boolean;
  /** @param trailers lines, CRLF at the end of each */
  endBody(trailers: string): void;
  pause(): void;
  resume(): void;
  /** Leaves the exchange; nothing more is reported to the receiver. */
  abandon(): void;
  /** As `abandon`, so that the endpoint cannot take it for an orderly end. */
  reset(): void;
  /**
   * Turns the channel into a tunnel; called from `onUpgrade`. What the endpoint sends goes to `receiver` from here on,
   * which has deadlines of its own.
   */
  beginTunnel(receiver: TunnelReceiver): void;
  /** Sends bytes of the tunnel's client, which hold only during the call. Returns `false` where the caller waits for `onWritable`. */
  writeTunnel(bytes: Buffer): boolean;
  /** The tunnel's client sends no more. */
  endTunnel(): void;
  /** The tunnel's client is gone in order: the endpoint gets what is still to be written, then the channel closes. */
  closeTunnel(): void;
}
