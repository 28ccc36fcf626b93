import type { Endpoint } from '../model/endpoint.ts';
import type { Exchange, GrpcWebCall, Protocol } from '../model/exchange.ts';
import type { Route } from '../model/route.ts';
import type { ForwardFailure } from './forward-failure.ts';
import type { RequestTrace } from './tracing/trace-context.ts';

/** An attempt at an endpoint after which another one was made. */
export interface FailedAttempt {
  readonly endpoint: Endpoint;
  readonly failure: ForwardFailure;
  /** From the beginning of the exchange. */
  readonly afterMs: number;
  readonly durationMs: number;
}

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
  /** With its `?`, or empty. */
  readonly query: string;
  /** The request target before its `?`, as sent; empty where the request line could not be read. */
  readonly sentPath: string;
  /** First value of the field, as sent. Only for access logs that write it. */
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;
  /** Whose credentials a step has checked. */
  readonly user: string | undefined;
  /** How long an auth service took to decide (`forwardAuth`), in milliseconds. Absent where none was queried. */
  readonly authMs: number | undefined;
  /** The client's own connection ended TLS here. */
  readonly secure: boolean;
  readonly entryPort: number;
  /** Of the response; 499 where the client left before it, 408 and 413 where the proxy gave up on the request's body. */
  readonly status: number;
  /** Of a gRPC call: its status, where the client got one. */
  readonly grpcStatus: number | undefined;
  /** Set where the proxy made the response itself, or the exchange ended badly. */
  readonly reason: string | undefined;
  /** What exactly was wrong with a head or body that was refused. */
  readonly cause?: string | undefined;
  readonly durationMs: number;
  /** From the last attempt's beginning, connecting included, to the endpoint's response head. */
  readonly upstreamMs: number | undefined;
  readonly retries: number;
  /** Absent where the first attempt was the last. */
  readonly failedAttempts: readonly FailedAttempt[] | undefined;
  /** When the last attempt began, from the beginning of the exchange; 0 where none was made. */
  readonly attemptAfterMs: number;
  /** Head and body of the response, as they went to the client before TLS. For a tunnel, its bytes too. */
  readonly sentBytes: number;
  /** The same without heads and, over HTTP/2, trailers. */
  readonly sentBodyBytes: number;
  /** Head and body of the request, as they came from the client. For a tunnel, its bytes too. */
  readonly receivedBytes: number;
  /** Of the client itself: the trusted hop's X-Forwarded-For is applied. */
  readonly clientAddress: string;
  /** Absent where tracing is off, and where the head could not be read. */
  readonly trace: RequestTrace | undefined;
}

/** The request as far as it was understood. */
export interface RecordedRequest {
  host: string;
  path: string;
  query: string;
  /** Of the request target, before its `?`. */
  sentPath: string;
  /** Set where `DecisionContext.recordsAgents` is `true`. */
  referer: string | undefined;
  userAgent: string | undefined;
  user: string | undefined;
  grpcWeb: GrpcWebCall | undefined;
  authMs: number | undefined;
  /** Absent for plain requests of routes without steps. */
  exchange: Exchange | undefined;
  trace: RequestTrace | undefined;
  route: Route | undefined;
  clientAddress: string;
}

/** The record of a request of which nothing is known yet. */
export class RequestRecord implements RecordedRequest {
  readonly method: string;
  readonly protocol: Protocol;
  host = '';
  path = '';
  query = '';
  sentPath = '';
  referer: string | undefined;
  userAgent: string | undefined;
  user: string | undefined;
  grpcWeb: GrpcWebCall | undefined;
  authMs: number | undefined;
  exchange: Exchange | undefined;
  trace: RequestTrace | undefined;
  route: Route | undefined;
  clientAddress: string;

  constructor(peerAddress: string, method: string, protocol: Protocol) {
    this.clientAddress = peerAddress;
    this.method = method;
    this.protocol = protocol;
  }
}

/** What the client's side has counted. Sizes are before TLS. */
interface RecordedClient {
  readonly sink: { readonly sentBytes: number; readonly headBytes: number };
  readonly body: { readonly receivedBytes: number };
  readonly cache: { readonly info: { readonly secure: boolean; readonly entryPort: number } };
}

/** Of the last attempt, with those before it. Times by `performance.now()`. */
interface RecordedForwarding {
  readonly endpoint: Endpoint | undefined;
  readonly attemptAtMs: number;
  readonly headAtMs: number | undefined;
  readonly retries: number;
  readonly failedAttempts: readonly FailedAttempt[] | undefined;
}

interface RecordedTunnel {
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

export interface ExchangeEnd {
  readonly status: number;
  readonly grpcStatus: number | undefined;
  readonly reason: string | undefined;
  readonly cause: string | undefined;
  /** Both by `performance.now()`. */
  readonly startedMs: number;
  readonly endedMs: number;
}

/** The access record of an exchange that has ended. */
export function recordOf(
  request: RecordedRequest & { readonly method: string; readonly protocol: Protocol },
  { sink, body, cache }: RecordedClient,
  forwarding: RecordedForwarding | undefined,
  tunnel: RecordedTunnel | undefined,
  { status, grpcStatus, reason, cause, startedMs, endedMs }: ExchangeEnd,
): AccessRecord {
  const headAtMs = forwarding?.headAtMs;
  return {
    protocol: request.protocol,
    route: request.route,
    endpoint: forwarding?.endpoint,
    method: request.method,
    host: request.host,
    path: request.path,
    query: request.query,
    sentPath: request.sentPath,
    referer: request.referer,
    userAgent: request.userAgent,
    user: request.user,
    authMs: request.authMs,
    secure: cache.info.secure,
    entryPort: cache.info.entryPort,
    status,
    grpcStatus,
    reason,
    cause,
    durationMs: endedMs - startedMs,
    upstreamMs: headAtMs === undefined ? undefined : headAtMs - (forwarding as RecordedForwarding).attemptAtMs,
    retries: forwarding?.retries ?? 0,
    failedAttempts: forwarding?.failedAttempts,
    attemptAfterMs: forwarding === undefined ? 0 : forwarding.attemptAtMs - startedMs,
    sentBytes: sink.sentBytes + (tunnel?.sentBytes ?? 0),
    sentBodyBytes: sink.sentBytes - sink.headBytes + (tunnel?.sentBytes ?? 0),
    receivedBytes: body.receivedBytes + (tunnel?.receivedBytes ?? 0),
    clientAddress: request.clientAddress,
    trace: request.trace,
  };
}
