import type { Endpoint } from '../model/endpoint.ts';
import type { Protocol } from '../model/exchange.ts';
import type { Route } from '../model/route.ts';

/** What the access log, the metrics and the problems are fed from: one for each exchange, made in one place. */
export interface AccessRecord {
  readonly protocol: Protocol;
  readonly route: Route | undefined;
  /** The endpoint of the last attempt. */
  readonly endpoint: Endpoint | undefined;
  /** Empty where the request line could not be read. */
  readonly method: string;
  /** Normal form; empty where the head named none that can be used. */
  readonly host: string;
  /** Normal form without the query; as sent where it has none. */
  readonly path: string;
  /** Of the response; 499 where the client left before it, 408 and 413 where the proxy gave up on the request's body. */
  readonly status: number;
  /** Set where the proxy made the response itself, or the exchange ended badly. */
  readonly reason: string | undefined;
  /** What exactly was wrong with a head or body that was refused. */
  readonly cause?: string | undefined;
  readonly durationMs: number;
  /** From the last attempt's beginning, connecting included, to the endpoint's response head. */
  readonly upstreamMs: number | undefined;
  readonly retries: number;
  /** Head and body of the response, as they went to the client before TLS. For a tunnel, its bytes too. */
  readonly sentBytes: number;
  /** Head and body of the request, as they came from the client. For a tunnel, its bytes too. */
  readonly receivedBytes: number;
  /** Of the client itself: the trusted hop's X-Forwarded-For is applied. */
  readonly clientAddress: string;
}
