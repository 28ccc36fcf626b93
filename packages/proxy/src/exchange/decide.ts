import { hostPort } from '@swarmgate/runtime';
import type { Middleware } from '../middleware/middleware.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { type ClientConnection, type Exchange, forwardedTarget, type PathSpelling } from '../model/exchange.ts';
import type { HeaderList } from '../model/header-list.ts';
import type { LocalResponse } from '../model/local-response.ts';
import type { RequestView } from '../model/request-view.ts';
import type { Route } from '../model/route.ts';
import { normalizeHost } from '../routing/normal-host.ts';
import type { EncodedSlash, PathError } from '../routing/normal-path.ts';
import { type PathReading, readPath } from '../routing/path-readings.ts';
import type { OutgoingHead } from '../transport/outgoing-request.ts';
import type { RecordedRequest } from './access-record.ts';
import { clientOf, type TrustedProxies } from './client-connection.ts';
import type { ConnectionCache } from './connection-cache.ts';
import type { ExchangeContext } from './exchange-context.ts';
import { headersForUpstream, hopsOf, mostHops } from './header-policy.ts';
import { localResponse } from './local-responses.ts';
import { lastForwardResponse, maxForwardsOf, mayCountForwards } from './max-forwards.ts';
import { responseOfRoute, runSteps } from './run-middleware.ts';
import { type RequestTrace, traceParentOf } from './tracing/trace-context.ts';
import type { TraceHeaders } from './tracing/tracer.ts';
import {
  type PlainRequest,
  plainHttp2Head,
  plainUpstreamHead,
  plainUpstreamHeaders,
  type RequestFraming,
  upstreamHead,
} from './upstream-head.ts';
import { ViewedTarget } from './viewed-target.ts';

export interface DecisionContext extends ExchangeContext {
  readonly trusted: TrustedProxies;
  /** Entrypoints that clients reach under another port: `PUBLISHED_PORTS`. */
  readonly publishedPorts?: ReadonlyMap<number, number>;
  /** `undefined`: Via is not sent. */
  readonly viaName: string | undefined;
  readonly newRequestId: () => string;
  readonly writesForwarded: boolean;
  /** Of a request body, in bytes. 0: unlimited. */
  readonly mostBodyBytes: number;
  readonly encodedSlash: EncodedSlash;
  /** The access record has Referer and User-Agent. */
  readonly recordsAgents: boolean;
}

/** A request that may be forwarded: everything before the first endpoint is picked has been decided. */
export interface ForwardOrder {
  readonly kind: 'forward';
  readonly route: Route;
  readonly steps: readonly Middleware[];
  /** Absent for plain requests of routes without steps and without a handler. */
  readonly exchange: Exchange | undefined;
  readonly framing: RequestFraming;
  /** Made from `exchange` where that is set. */
  readonly head: OutgoingHead;
}

export type ExchangeDecision = ForwardOrder | { readonly kind: 'respond'; readonly response: LocalResponse };

function respond(response: LocalResponse): ExchangeDecision {
  return { kind: 'respond', response };
}

/**
 * From a parsed head to a decision: one lookup in the table, then the route's steps. Only a step that has to wait
 * makes it a promise. A plain head of a route without steps goes upstream as the lines that the client sent: a short cut
 * of the header policy, equal to it.
 */
export function decide(
  view: RequestView,
  cache: ConnectionCache,
  context: DecisionContext,
  record: RecordedRequest,
): ExchangeDecision | Promise<ExchangeDecision> {
  const { info } = cache;
  record.path = view.path;
  record.query = view.query;
  record.sentPath = view.sentPath;
  if (context.recordsAgents) {
    record.referer = view.header('referer');
    record.userAgent = view.header('user-agent');
  }
  const client = info.peerTrusted ? clientOfView(view, cache, context) : undefined;
  if (client !== undefined) record.clientAddress = client.address;
  const { sentHost } = view;
  if (sentHost !== cache.sentHost || sentHost === '') {
    const normal = normalizeHost(sentHost);
    const isMissing = sentHost === '' && view.protocol === 'HTTP/1.0';
    if (!normal.ok && !isMissing) return respond(localResponse('bad-host'));
    cache.sentHost = sentHost;
    cache.host = normal.ok ? normal.host : '';
  }
  const { host } = cache;
  record.host = host;
  if (view.fault !== undefined) return respond(localResponse(view.fault));
  // A client that finds this host in the certificate, or kept the connection from before, is to call the service itself.
  if (info.secure && host !== '' && context.isRelayed?.(host, info.entryPort) === true)
    return respond(localResponse('host-relayed'));
  let { path } = view;
  let spelling: PathSpelling | undefined;
  let readings: readonly PathReading[] | undefined;
  if (!view.plainPath) {
    const read = readPath(path, context.encodedSlash);
    if (!read.ok) return respond(refusedPath(read.reason));
    path = read.path;
    if (read.sent !== path) spelling = { normal: path, sent: read.sent };
    if (read.readings.length > 0) readings = read.readings;
  }
  record.path = path;
  if (path.startsWith(challengePath) && !info.secure) {
    const reply = challengeResponse(view.path, host, context);
    if (reply !== undefined) return respond(reply);
  }

  const traced = context.tracer === undefined ? undefined : traceHeadersOf(view);
  const forwards = mayCountForwards(view.method) ? maxForwardsOf(view.header('max-forwards')) : undefined;
  const isPlain =
    client === undefined &&
    view.upgrade === '' &&
    forwards === undefined &&
    (traced === undefined || traced === noTraceHeaders);
  const sent = isPlain ? view.plainFields() : undefined;
  const flat = sent === undefined ? view.flat() : undefined;
  const hops = flat === undefined ? 0 : hopsOf(flat);
  if (hops >= mostHops) return respond(localResponse('loop'));

  const { method, query } = view;
  const route = context.lookup(new ViewedTarget(view, record, info.entryPort, info.secure), readings);
  if (route === 'path-ambiguous') return respond(localResponse(route));
  const trace = traced === undefined ? undefined : context.tracer?.begin(traced, info.peerTrusted, route);
  record.trace = trace;
  if (route === undefined) return respond(localResponse('no-route'));
  record.route = route;
  if (context.mostBodyBytes > 0 && view.contentLength > context.mostBodyBytes)
    return respond(localResponse('body-too-large'));
  const sentPath = spelling === undefined ? path : spelling.sent;
  const known = client ?? clientOf(info, noHeader, context.trusted);
  if (forwards === 0) return respond(lastForwardResponse(method));
  const early = responseOfRoute(route, known.scheme, sentHost, sentPath + query);
  if (early !== undefined) return respond(early);

  const steps = context.middlewareOf(route);
  if (readings !== undefined && steps.some(({ wantsOneReading }) => wantsOneReading === true))
    return respond(localResponse('path-ambiguous'));
  const { unsized, contentLength, upgrade, asterisk } = view;
  const usual: RequestFraming = { unsized, contentLength, upgrade, wantsTrailers: wantsTrailers(view, route) };
  const keepsHost = route.destination.passHostHeader !== false;
  const framing = keepsHost ? usual : { ...usual, hostFor: ownHostOf(route) };
  if (sent !== undefined && steps.length === 0 && context.handlerOf?.(route) === undefined) {
    const target = asterisk ? '*' : sentPath + query;
    const plain = { view, sent, target, added: cache.added, requestId: context.newRequestId(), trace };
    return { kind: 'forward', route, steps, exchange: undefined, framing, head: plainHead(plain, route, framing) };
  }

  const request =
    sent === undefined
      ? headersForUpstream(flat ?? view.flat(), {
          client: known,
          peerAddress: info.peerAddress,
          sentHost,
          protocol: view.protocol,
          viaName: context.viaName,
          hops,
          newRequestId: context.newRequestId,
          writesForwarded: context.writesForwarded,
        })
      : plainUpstreamHeaders({ view, added: cache.added, requestId: context.newRequestId() });
  // An absolute-form target overrules Host (RFC 9112, section 3.2.2); HTTP/1.0 may come without one.
  if (!view.hostIsField) request.set('Host', sentHost);
  if (forwards !== undefined) request.set('Max-Forwards', String(forwards - 1));
  if (trace !== undefined) setTraceHeaders(request, trace);
  const exchange: Exchange = { route, method, path, query, host, request, client: known };
  // Set where they are there: nearly every exchange has none of these.
  if (spelling !== undefined) exchange.spelling = spelling;
  if (asterisk) exchange.asterisk = true;
  if (upgrade !== '') exchange.upgrade = upgrade.toLowerCase();
  record.exchange = exchange;
  const response = runSteps(steps, exchange);
  return response instanceof Promise
    ? lateOrderOf(exchange, steps, framing, record, response)
    : orderOf(exchange, steps, framing, record, response);
}

// A function inside `decide` would cost every request the variables that it sees, kept apart.
function clientOfView(view: RequestView, { info }: ConnectionCache, { trusted }: DecisionContext): ClientConnection {
  return clientOf(info, (name) => view.joined(name), trusted);
}

async function lateOrderOf(
  exchange: Exchange,
  steps: readonly Middleware[],
  framing: RequestFraming,
  record: RecordedRequest,
  response: Promise<LocalResponse | undefined>,
): Promise<ExchangeDecision> {
  return orderOf(exchange, steps, framing, record, await response);
}

/** `TE` is for one hop: the proxy sends it to the endpoint where it passes the trailers on (RFC 9110, section 10.1.4). */
function wantsTrailers(view: RequestView, { upstreamHttp2, destination }: Route): boolean {
  if (upstreamHttp2 !== true) return false;
  return (
    destination.protocol === 'grpc' ||
    destination.grpcWeb === true ||
    /(?:^|[, ])trailers(?:$|[,; ])/i.test(view.joined('te') ?? '')
  );
}

function refusedPath(reason: PathError): LocalResponse {
  return reason === 'path-ambiguous' ? localResponse(reason) : { ...localResponse('bad-path'), reason };
}

/** What follows from the steps. @param response that one of them made */
function orderOf(
  exchange: Exchange,
  steps: readonly Middleware[],
  given: RequestFraming,
  record: RecordedRequest,
  response: LocalResponse | undefined,
): ExchangeDecision {
  const { route, grpcWeb } = exchange;
  record.user = exchange.user;
  record.grpcWeb = grpcWeb;
  record.authMs = exchange.authMs;
  if (response !== undefined) return respond(response);
  // Another route's endpoints are no service of this one's name.
  const isOthers = given.hostFor !== undefined && exchange.forwardsTo !== undefined;
  const framing = isOthers ? withoutHost(given) : given;
  // Its base64 is decoded on the way, so the length that was sent is not that of what is forwarded.
  const sent = grpcWeb?.form === 'text' ? { ...framing, unsized: true, contentLength: -1 } : framing;
  const head = headOf(exchange, sent);
  if (head === undefined) return respond(localResponse('internal-error'));
  return { kind: 'forward', route, steps, exchange, framing: sent, head };
}

/** Head for the endpoint, as the exchange stands. `undefined` where a step has made it unsendable. */
export function headOf(exchange: Exchange, framing: RequestFraming): OutgoingHead | undefined {
  const { method, request, route, forwardsTo } = exchange;
  return upstreamHead(method, forwardedTarget(exchange), request, framing, forwardsTo ?? route);
}

function plainHead(plain: PlainRequest, route: Route, { wantsTrailers }: RequestFraming): OutgoingHead {
  const { sent } = plain;
  if (route.upstreamHttp2 !== true || typeof sent === 'string') return plainUpstreamHead(plain);
  return plainHttp2Head(plain, sent, { secure: route.upstreamSecure, wantsTrailers });
}

/** Of nearly every request from outside: one object for all of them. */
const noTraceHeaders: TraceHeaders = { traceParent: undefined, traceState: undefined };

function traceHeadersOf(view: RequestView): TraceHeaders {
  const first = view.header('traceparent');
  // Without a traceparent there is nothing that a tracestate could belong to, and it must not go on.
  if (first === undefined && view.header('tracestate') === undefined) return noTraceHeaders;
  return { traceParent: view.joined('traceparent'), traceState: view.joined('tracestate') };
}

/** The endpoint's parent is the attempt; tracestate goes on as it came, or not at all (W3C Trace Context, section 4.3). */
function setTraceHeaders(request: HeaderList, trace: RequestTrace): void {
  request.set('traceparent', traceParentOf(trace));
  if (trace.traceState === '') request.delete('tracestate');
}

function withoutHost({ hostFor: _other, ...framing }: RequestFraming): RequestFraming {
  return framing;
}

/** Host of a service that does not get the client's: its name where it is outside of the Swarm, else the endpoint's address. */
function ownHostOf({ destination }: Route): (endpoint: Endpoint) => string {
  return ({ host, port, secure, serverName }) => {
    const name = serverName ?? destination.outboundHostname ?? host;
    return port === (secure ? 443 : 80) ? hostPort(name, port).slice(0, -`:${port}`.length) : hostPort(name, port);
  };
}

const challengePath = '/.well-known/acme-challenge/';

/**
 * The response to a CA that validates a host (RFC 8555, section 8.3), before redirects and access rules: the CA can neither
 * log in nor follow a redirect to a host without a certificate. Other tokens fall through to the routes, where another
 * ACME client may respond to them.
 */
function challengeResponse(path: string, host: string, { challenges }: DecisionContext): LocalResponse | undefined {
  const body = challenges?.challengeResponse(host, path.slice(challengePath.length));
  if (body === undefined) return undefined;
  return { status: 200, reason: 'acme-challenge', headers: ['Content-Type', 'application/octet-stream'], body };
}

const noHeader = () => undefined;
