import type { Endpoint } from '../model/endpoint.ts';
import type { Route } from '../model/route.ts';

/** For the metrics and the access log, once per exchange. */
export interface AccessRecord {
  readonly route: Route | undefined;
  readonly endpoint: Endpoint | undefined;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly status: number;
  /** Set where the proxy made the answer itself. */
  readonly reason: string | undefined;
  /** What exactly was wrong with a head or body that was refused. */
  readonly cause?: string;
  readonly durationMs: number;
  readonly upstreamMs: number | undefined;
  readonly retries: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly clientAddress: string;
  readonly lane: 'raw' | 'express';
}
