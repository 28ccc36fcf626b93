import type { Middleware } from '../middleware/middleware.ts';
import type { RequestTarget } from '../model/request-target.ts';
import type { Route } from '../model/route.ts';
import type { Endpoint, Pick } from '../model/endpoint.ts';

/**
 * All that a lane knows of the rest of the proxy. It asks `lookup` once per request and keeps the answer; swaps of the
 * table never touch a request in flight.
 */
export interface DataPlane {
  readonly lookup: (target: RequestTarget) => Route | undefined;
  readonly middlewareOf: (route: Route) => readonly Middleware[];
  /** The balancer's choice. `except` names endpoints that this request has tried already. */
  readonly pick: (route: Route, wanted: { readonly stickTo?: string; readonly except?: ReadonlySet<string> }) => Pick;
  /** Passive health and outstanding counts: exactly one `finished` for each pick of an endpoint. */
  readonly finished: (endpoint: Endpoint, outcome: EndpointOutcome) => void;
  readonly observe: (exchange: ExchangeReport) => void;
}

/** `unreachable`: it accepts no connection either, so one such outcome is enough to eject it. */
export type EndpointOutcome = 'answered' | 'refused' | 'timed-out' | 'broken' | 'unreachable' | 'abandoned';

/** For the metrics and the access log, once per exchange. */
export interface ExchangeReport {
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
