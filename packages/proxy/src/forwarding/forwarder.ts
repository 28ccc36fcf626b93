import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex, Transform } from 'node:stream';
import type { Endpoint } from '../model/endpoint.ts';
import type { HeaderList } from '../model/header-list.ts';

/** One try to forward one request to one endpoint. */
export interface Attempt {
  readonly endpoint: Endpoint;
  /** Path and query as they go upstream. */
  readonly target: string;
  /** End-to-end headers; framing and Connection are the forwarder's. */
  readonly headers: HeaderList;
  readonly timeouts: ForwardTimeouts;
  /** A new connection may take so long to open, where that is less than `connectMs`. Default: no less. */
  readonly mostConnectMs?: number;
  /**
   * Asked when the endpoint, which owes its head, turns out to be gone: `true`, and the attempt fails so that another
   * endpoint gets the request; `false`, and it waits on. Default: it waits on.
   */
  readonly mayLeave?: () => boolean;
  /** Of the request body. Default 0: no limit. */
  readonly mostBodyBytes?: number;
  /** May change the headers that go to the client. Called once, before the first byte goes to it. */
  readonly onHead: (status: number, headers: HeaderList) => void;
  /** A stream the body passes through, such as compression, which has changed the headers to match. */
  readonly transformFor?: (status: number, headers: HeaderList) => Transform | undefined;
}

/** All in milliseconds, but for the rate. */
export interface ForwardTimeouts {
  readonly connectMs: number;
  /** An endpoint may be silent so long: before its head, and between two pieces of its body. */
  readonly serverMs: number;
  /** A client may be silent so long in the middle of its body, or not read what it is sent. */
  readonly clientMs: number;
  readonly tunnelMs: number;
  /** A client sends at least so much of its body, averaged over `clientMs`. Default 0: any byte will do. */
  readonly bodyBytesPerSecond?: number;
}

export type AttemptFailure =
  | 'endpoint-unreachable'
  | 'endpoint-answer-invalid'
  | 'connect-timeout'
  | 'head-timeout'
  /** No connection to the endpoint was free: its own limits, not its health. */
  | 'queue-full'
  | 'queue-timeout';

export type AttemptResult =
  /** The whole answer went to the client. */
  | { readonly kind: 'answered'; readonly status: number; readonly headMs: number }
  /** The answer broke off after its head; the client's connection is closed so that it cannot look complete. */
  | { readonly kind: 'truncated'; readonly status: number; readonly headMs: number }
  | { readonly kind: 'client-gone' }
  /** The client stopped in the middle of its body, or stopped reading. */
  | { readonly kind: 'client-stalled'; readonly headSent: boolean }
  /** The body, which did not say its length before, is larger than it may be. The endpoint does not get the rest. */
  | { readonly kind: 'body-too-large'; readonly headSent: boolean }
  /** No byte went to the client: another endpoint may be tried where `replayable` says so. */
  | {
      readonly kind: 'failed';
      readonly reason: AttemptFailure;
      /** `never-sent`: no byte of the request left. `unanswered`: it may have been received, so only idempotent ones go again. */
      readonly replayable: 'never-sent' | 'unanswered' | 'no';
      readonly cause: Error;
    };

/** What an upgrade came to. `refused`: the endpoint's own answer was relayed. */
export type TunnelResult =
  | { readonly kind: 'tunnelled'; readonly sentBytes: number; readonly receivedBytes: number }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'failed'; readonly reason: AttemptFailure; readonly cause: Error };

/** Opens and relays tunnels. Never throws: what went wrong is a result. */
export interface Tunnels {
  /** @param upstream Connected already, so that another endpoint could be tried before anything was promised. */
  tunnel(
    request: IncomingMessage,
    client: Duplex,
    firstBytes: Buffer,
    upstream: Duplex,
    attempt: Attempt,
  ): Promise<TunnelResult>;
}

/** Sends requests upstream and streams the answers back. Never throws: what went wrong is a result. */
export interface Forwarder extends Tunnels {
  forward(request: IncomingMessage, response: ServerResponse, attempt: Attempt): Promise<AttemptResult>;
  /** Closes idle connections; those in use close when they are done. */
  stop(): void;
}
