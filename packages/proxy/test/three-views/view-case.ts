import type { AccessRecord } from '../../src/exchange/access-record.ts';
import type { ForwardFailure } from '../../src/exchange/forward-failure.ts';
import type { Middleware } from '../../src/middleware/middleware.ts';
import type { EndpointOutcome } from '../../src/model/endpoint.ts';

/** A request that every protocol can send. */
export interface StructuredRequest {
  readonly method: string;
  readonly target: string;
  /** Default `shop.example`. */
  readonly host?: string;
  /** `Name: value` each. */
  readonly fields?: readonly string[];
  readonly body?: string;
  /** Announced length of the body, where `body` is only its beginning. */
  readonly contentLength?: number;
  /** The body's length is not announced. */
  readonly unsized?: boolean;
  /** `name: value` each; only of an unsized body. */
  readonly trailers?: readonly string[];
}

/** More of the body of the last request; it ends with it where `more` is not set. */
export interface BodyPart {
  readonly sends: string;
  readonly more?: true;
}

/** What the client does, in order. A string is bytes of HTTP/1.x: such a case runs over that alone. */
export type ClientAct =
  | StructuredRequest
  | BodyPart
  | string
  /** Reads until this has arrived. */
  | { readonly until: string }
  /** Waits until the endpoints together have so many requests, whole or not. */
  | { readonly endpointHas: number }
  | { readonly leave: true };

/** What one endpoint does with each request. */
export interface EndpointScript {
  /** Bytes of HTTP/1.1, for the first request, the second, …; the last one repeats. */
  readonly replies?: readonly string[];
  /** Default: once the request is whole. */
  readonly on?: 'head' | 'request';
  /** Before responding or closing, in milliseconds. */
  readonly afterMs?: number;
  /** Default `keep`. */
  readonly afterwards?: 'keep' | 'end' | 'reset';
}

export type CaseEndpoint = EndpointScript | 'refuses';

export interface SeenResponse {
  readonly status: number;
  readonly reason?: string;
  /** Every field in order, `Date` as `Date: *`. */
  readonly fields: readonly string[];
  readonly body?: string;
  readonly trailers?: readonly string[];
}

export interface SeenRequest {
  readonly line: string;
  /** Every field in order, request ids of the proxy's own as `X-Request-Id: new`. */
  readonly fields: readonly string[];
  readonly body?: string;
  readonly trailers?: readonly string[];
  /** Default `true`. */
  readonly whole?: boolean;
}

/** Bytes by number, or as many as crossed the client's connection, counted there. */
export type SeenBytes = number | 'all';

/** One access record, field by field. */
export interface SeenRecord
  extends Omit<
    AccessRecord,
    | 'route'
    | 'endpoint'
    | 'durationMs'
    | 'upstreamMs'
    | 'attemptAfterMs'
    | 'failedAttempts'
    | 'sentBytes'
    | 'sentBodyBytes'
    | 'receivedBytes'
  > {
  /** The route's service; absent where none was chosen. */
  readonly service: string | undefined;
  /** Place in the case's list; absent where none was picked. */
  readonly endpoint: number | undefined;
  /** Attempts after which another one was made: the endpoint's place, and how it failed. */
  readonly failed: readonly (readonly [number, ForwardFailure])[];
  /** Whether it is there, or the most that it may be. */
  readonly upstreamMs: boolean | number;
  readonly sentBytes: SeenBytes;
  readonly receivedBytes: SeenBytes;
}

/** One exchange, or a few on one connection, as three parties see it. Every expectation is written by hand. */
export interface ViewCase {
  readonly name: string;
  readonly does: readonly ClientAct[];
  /** Queried in turn. Default: one that responds with 200 with the body `ok`. */
  readonly endpoints?: readonly CaseEndpoint[];
  /** The client is a hop in `TRUSTED_PROXIES`. */
  readonly trustedHop?: boolean;
  readonly routed?: boolean;
  readonly mostBodyBytes?: number;
  readonly serverMs?: number;
  /** Of the route. Default: none. */
  readonly steps?: readonly Middleware[];
  readonly headMs?: number;
  readonly client: {
    readonly responses: readonly SeenResponse[];
    /** Where they are not parsed as responses: everything behind the last one's head. */
    readonly behind?: string;
    readonly connection: 'open' | 'closed' | 'reset' | 'left';
  };
  readonly endpoint: readonly SeenRequest[];
  readonly records: readonly SeenRecord[];
  readonly outcomes: readonly EndpointOutcome[];
}

export const okBytes = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok';

export const okResponse: SeenResponse = {
  status: 200,
  reason: 'OK',
  fields: ['Content-Type: text/plain', 'Content-Length: 2'],
  body: 'ok',
};

/** What the proxy adds to a request from an untrusted client. */
export function added(host = 'shop.example', via = '1.1'): string[] {
  return [
    'X-Forwarded-For: 127.0.0.1',
    'X-Forwarded-Proto: http',
    `X-Forwarded-Host: ${host}`.trim(),
    'X-Forwarded-Port: 80',
    'X-Request-Id: new',
    'Swarmgate-Hops: 1',
    `Via: ${via} swarmgate-test`,
  ];
}

/** A response of the proxy's own. */
export function local(status: number, reason: string, text: string, closes = true, more: string[] = []): SeenResponse {
  return {
    status,
    fields: [
      ...more,
      `X-Swarmgate-Reason: ${reason}`,
      'Content-Type: text/plain; charset=utf-8',
      `Content-Length: ${text.length + 1}`,
      'Date: *',
      ...(closes ? ['Connection: close'] : []),
    ],
    body: `${text}\n`,
  };
}

/** The record of a forwarded GET to `/a` that got 200; what differs is given. */
export function record(more: Partial<SeenRecord> = {}): SeenRecord {
  return {
    protocol: 'HTTP/1.1',
    service: 'swarm/web',
    endpoint: 0,
    method: 'GET',
    host: 'shop.example',
    path: '/a',
    query: '',
    sentPath: more.path ?? '/a',
    referer: undefined,
    userAgent: undefined,
    user: undefined,
    authMs: undefined,
    secure: false,
    entryPort: 80,
    status: 200,
    grpcStatus: undefined,
    reason: undefined,
    cause: undefined,
    upstreamMs: true,
    retries: 0,
    failed: [],
    sentBytes: 'all',
    receivedBytes: 'all',
    clientAddress: '127.0.0.1',
    trace: undefined,
    ...more,
  };
}

/** The record of a request that never reached an endpoint. */
export function refused(status: number, reason: string, more: Partial<SeenRecord> = {}): SeenRecord {
  return record({ service: undefined, endpoint: undefined, status, reason, upstreamMs: false, ...more });
}
