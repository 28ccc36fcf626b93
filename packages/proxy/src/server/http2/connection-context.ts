import type { HttpExchangeContext } from '../../exchange/http-exchange-context.ts';
import type { SessionOptions } from '../../http/http2/session-options.ts';
import type { DeadlineSweep } from '../../transport/deadline-sweep.ts';
import type { ClientTimeouts } from '../http1/connection-context.ts';
import type { DrainableConnection } from '../tracked-connections.ts';

/** What all connections of one HTTP/2 server share. */
export interface Http2Context extends HttpExchangeContext {
  readonly sweep: DeadlineSweep;
  readonly timeouts: ClientTimeouts;
  readonly session: Partial<SessionOptions>;
  readonly forget: (connection: DrainableConnection) => void;
}
