import type { HttpExchangeContext } from '../../exchange/http-exchange-context.ts';
import type { RequestHead } from '../../http/request-head.ts';
import type { DeadlineSweep } from '../../transport/deadline-sweep.ts';
import type { ProtocolServer } from '../protocol-server.ts';
import type { DrainableConnection } from '../tracked-connections.ts';

/** All in milliseconds, but for the rate. */
export interface ClientTimeouts {
  /** Until a request head has arrived. */
  readonly headMs: number;
  /** Idle time of a connection between requests. */
  readonly keepAliveMs: number;
  /** Silence of the client in the middle of its body, or while it does not read what it is sent. */
  readonly clientMs: number;
  /** Least rate of a request body in bytes a second, averaged over `clientMs`. Default 0: any. */
  readonly bodyBytesPerSecond?: number;
}

/** What all connections of one HTTP/1.1 server share. */
export interface ConnectionContext extends HttpExchangeContext {
  readonly sweep: DeadlineSweep;
  readonly timeouts: ClientTimeouts;
  /** Parses head after head: its places hold until the next one. */
  readonly head: RequestHead;
  /** Takes over a connection that begins with the preface of HTTP/2. */
  readonly onHttp2?: ProtocolServer['accept'];
  /** What takes it over reads in place, too. */
  readonly mayReadInPlace: boolean;
  readonly draining: boolean;
  readonly forget: (connection: DrainableConnection) => void;
}
