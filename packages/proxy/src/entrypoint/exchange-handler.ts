import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Transform } from 'node:stream';
import type { Logger } from '@swarmgate/runtime';
import { type ConnectionInfo, clientOf, type TrustedProxies } from '../exchange/client-connection.ts';
import type { ExchangeContext } from '../exchange/exchange-context.ts';
import { hasLooped, headersForUpstream } from '../exchange/header-policy.ts';
import { type LocalResponseReason, localResponse, localResponseHeaders } from '../exchange/local-responses.ts';
import type { RetryBudget } from '../exchange/retry-budget.ts';
import { answerOfRoute, runSteps } from '../exchange/run-middleware.ts';
import { bodyKindOf } from '../forwarding/body-kind.ts';
import type { Attempt, AttemptResult, Forwarder, ForwardTimeouts } from '../forwarding/forwarder.ts';
import type { Exchange, LocalResponse, Middleware, ResponseHead } from '../middleware/middleware.ts';
import type { Endpoint, EndpointOutcome } from '../model/endpoint.ts';
import { HeaderList } from '../model/header-list.ts';
import type { Route } from '../model/route.ts';
import { failoverConnectTimeoutMs } from '../transport/connect.ts';
import { beginReport, type Report } from './exchange-report.ts';
import { readIntake } from './request-intake.ts';

export interface ExchangeSettings {
  readonly timeouts: ForwardTimeouts;
  readonly trusted: TrustedProxies;
  readonly viaName: string;
  readonly newRequestId: () => string;
  /** `FORWARDED_HEADER`. Default no. */
  readonly writesForwarded?: boolean;
  /** `MAX_BODY_BYTES`: of a request body. Default 0: no limit. */
  readonly mostBodyBytes?: number;
  /** A stream that changes the body, such as compression; it has adapted the headers. */
  readonly transformFor?: (exchange: Exchange, head: ResponseHead) => Transform | undefined;
}

export interface ExchangeParts {
  readonly plane: ExchangeContext;
  readonly forwarder: Forwarder;
  readonly retries: RetryBudget;
  readonly settings: ExchangeSettings;
  readonly logger: Logger;
}

/** A request that may be forwarded: everything before the first endpoint is picked has been decided. */
export interface ReadyExchange {
  readonly kind: 'forward';
  readonly exchange: Exchange;
  readonly steps: readonly Middleware[];
  readonly target: string;
  readonly timeouts: ForwardTimeouts;
}

export type Decision =
  | ReadyExchange
  | { readonly kind: 'answer'; readonly answer: LocalResponse; readonly route: Route | undefined };

/** At most so many endpoints see one request. */
const mostAttempts = 3;

const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * From a parsed head to what shall happen: the table is asked once, then the route's steps run. Synchronous as long as
 * they are, so that a refused request is known before node:http hands over the one behind it.
 */
export function decide(
  request: IncomingMessage,
  facts: ConnectionInfo,
  parts: ExchangeParts,
): Decision | Promise<Decision> {
  const { plane, settings } = parts;
  const read = readIntake(request);
  const method = request.method ?? 'GET';
  if (!read.ok) return answering(refusal(read.reason));
  const { host, sentHost, path, query, asterisk } = read.intake;
  if (hasLooped(request.rawHeaders, settings.viaName)) return answering(localResponse('loop'));

  const client = clientOf(facts, (name) => joinedValue(request.headers[name]), settings.trusted);
  const sent = new HeaderList(request.rawHeaders);
  const header = (name: string) => sent.get(name);
  const route = plane.lookup({ method, host, path, port: facts.entryPort, header });
  if (route === undefined) return answering(localResponse('no-route'));
  const { mostBodyBytes = 0 } = settings;
  if (mostBodyBytes > 0 && Number(request.headers['content-length'] ?? 0) > mostBodyBytes)
    return answering(localResponse('body-too-large'), route);

  const headers = headersForUpstream(request.rawHeaders, {
    client,
    peerAddress: facts.peerAddress,
    sentHost,
    httpVersion: request.httpVersion,
    viaName: settings.viaName,
    newRequestId: settings.newRequestId,
    writesForwarded: settings.writesForwarded ?? false,
  });
  // An absolute-form target overrules Host (RFC 9112, section 3.2.2); HTTP/1.0 may come without one.
  if (headers.get('host') !== sentHost) headers.set('Host', sentHost);
  const exchange: Exchange = { route, method, path, query, host, request: headers, client };
  const early = answerOfRoute(route, exchange, sentHost);
  if (early !== undefined) return answering(early, route);

  const steps = plane.middlewareOf(route);
  const proceed = (answer: LocalResponse | undefined): Decision =>
    answer !== undefined
      ? answering(answer, route)
      : {
          kind: 'forward',
          exchange,
          steps,
          target: asterisk && exchange.path === '/' ? '*' : exchange.path + exchange.query,
          timeouts: timeoutsOf(route, settings.timeouts),
        };
  const verdict = runSteps(steps, exchange);
  return verdict instanceof Promise ? verdict.then(proceed) : proceed(verdict);
}

/** Serves one request from its head to the last byte of its answer. Never throws. */
export async function handleExchange(
  request: IncomingMessage,
  response: ServerResponse,
  facts: ConnectionInfo,
  parts: ExchangeParts,
): Promise<void> {
  const report = beginReport(request, facts, parts.plane);
  try {
    const decided = decide(request, facts, parts);
    const decision = decided instanceof Promise ? await decided : decided;
    if (decision.kind === 'answer') {
      report.route = decision.route;
      sendAnswer(request, response, decision.answer);
      report.end(decision.answer.status, decision.answer.reason);
      return;
    }
    report.exchange = decision.exchange;
    await forwardExchange(request, response, decision, parts, report);
  } catch (error) {
    parts.logger.error({ err: error, path: request.url }, 'a request could not be handled');
    if (!response.headersSent) sendAnswer(request, response, localResponse('internal-error'));
    else response.destroy();
    report.end(500, 'internal-error');
  }
}

async function forwardExchange(
  request: IncomingMessage,
  response: ServerResponse,
  ready: ReadyExchange,
  parts: ExchangeParts,
  report: Report,
): Promise<void> {
  const { plane, forwarder, retries } = parts;
  const { exchange } = ready;
  const tried = new Set<string>();
  retries.onRequest();
  const mayBeSentTwice = idempotent.has(exchange.method) && !carriesBody(request);
  let failed: LocalResponseReason | undefined;
  for (;;) {
    const wanted = exchange.stickTo === undefined ? { except: tried } : { except: tried, stickTo: exchange.stickTo };
    const picked = plane.pick(exchange.route, wanted);
    if (picked.kind === 'none') {
      const answer = localResponse(failed ?? picked.reason);
      sendAnswer(request, response, answer);
      report.end(answer.status, answer.reason);
      return;
    }
    const { endpoint, hasOthers } = picked;
    tried.add(endpoint.id);
    report.endpoint = endpoint;
    const mayGoAgain = () => tried.size < mostAttempts && !response.destroyed && retries.take();
    let left = false;
    const mayLeave = () => {
      left = mayGoAgain();
      return left;
    };
    // What it throws is a step's fault, and counts for nothing against the endpoint.
    const result = await forwarder
      .forward(request, response, {
        ...attemptOf(endpoint, ready, parts),
        mostConnectMs: hasOthers ? failoverConnectTimeoutMs : Number.POSITIVE_INFINITY,
        ...(hasOthers && mayBeSentTwice ? { mayLeave } : {}),
      })
      .catch((error: unknown) => {
        plane.finished(endpoint, 'abandoned');
        throw error;
      });
    plane.finished(endpoint, left ? 'unreachable' : outcomeOf(result));
    if (result.kind !== 'failed') {
      reportResult(result, request, response, report);
      if (result.kind === 'answered') dropRestOf(request, ready.timeouts.clientMs);
      return;
    }
    const again = result.replayable === 'never-sent' || (result.replayable === 'unanswered' && mayBeSentTwice);
    failed = result.reason;
    if (left || (again && mayGoAgain())) {
      report.retries += 1;
      continue;
    }
    const answer = localResponse(result.reason);
    parts.logger.warn(
      { service: exchange.route.key, endpoint: endpoint.id, reason: answer.reason, err: result.cause.message },
      'an endpoint failed',
    );
    sendAnswer(request, response, answer);
    report.end(answer.status, answer.reason);
    return;
  }
}

/** What is left of a body that was answered early is read and dropped: for so long at most, then its connection closes. */
function dropRestOf(request: IncomingMessage, withinMs: number): void {
  if (request.complete) return;
  const timer = setTimeout(() => request.socket.destroy(), withinMs);
  request.once('close', () => clearTimeout(timer));
}

function reportResult(
  result: Exclude<AttemptResult, { kind: 'failed' }>,
  request: IncomingMessage,
  response: ServerResponse,
  report: Report,
): void {
  switch (result.kind) {
    case 'answered':
      report.upstreamMs = result.headMs;
      report.end(result.status, undefined);
      return;
    case 'truncated':
      report.upstreamMs = result.headMs;
      report.end(result.status, 'answer-truncated');
      return;
    case 'client-stalled':
      if (!result.headSent && !response.destroyed) sendAnswer(request, response, localResponse('request-timeout'));
      report.end(408, 'request-timeout');
      return;
    case 'body-too-large':
      if (!result.headSent && !response.destroyed) sendAnswer(request, response, localResponse('body-too-large'));
      report.end(413, 'body-too-large');
      return;
    case 'client-gone':
      report.end(499, 'client-gone');
  }
}

export function attemptOf(endpoint: Endpoint, ready: ReadyExchange, parts: ExchangeParts): Attempt {
  const { exchange, steps } = ready;
  return {
    endpoint,
    target: ready.target,
    headers: exchange.request,
    timeouts: ready.timeouts,
    mostBodyBytes: parts.settings.mostBodyBytes ?? 0,
    onHead: (status, headers) => {
      for (const step of steps) step.onResponse?.(exchange, { status, headers, endpoint });
    },
    transformFor: (status: number, headers: HeaderList) =>
      parts.settings.transformFor?.(exchange, { status, headers, endpoint }),
  };
}

function outcomeOf(result: AttemptResult): EndpointOutcome {
  switch (result.kind) {
    case 'answered':
      return 'answered';
    case 'truncated':
      return 'broken';
    case 'client-gone':
    case 'client-stalled':
    case 'body-too-large':
      return 'abandoned';
    case 'failed':
      if (result.reason === 'queue-full' || result.reason === 'queue-timeout') return 'abandoned';
      if (result.reason === 'connect-timeout' || result.reason === 'head-timeout') return 'timed-out';
      return result.replayable === 'never-sent' ? 'refused' : 'broken';
  }
}

export function sendAnswer(request: IncomingMessage, response: ServerResponse, answer: LocalResponse): void {
  if (response.headersSent || response.destroyed) return;
  // A body that nobody will read: closing says so, and saves reading it. After a refused head nothing on the
  // connection can be trusted to begin where it seems to.
  if (
    answer.status === 400 ||
    answer.status === 413 ||
    answer.status === 431 ||
    (carriesBody(request) && !request.complete)
  )
    response.shouldKeepAlive = false;
  response.writeHead(answer.status, localResponseHeaders(answer));
  response.end(answer.body ?? '');
}

function timeoutsOf(route: Route, defaults: ForwardTimeouts): ForwardTimeouts {
  const { timeoutServerMs, timeoutTunnelMs, timeoutClientMs } = route.destination;
  if (timeoutServerMs === undefined && timeoutTunnelMs === undefined && timeoutClientMs === undefined) return defaults;
  return {
    connectMs: defaults.connectMs,
    serverMs: timeoutServerMs ?? defaults.serverMs,
    tunnelMs: timeoutTunnelMs ?? defaults.tunnelMs,
    clientMs: timeoutClientMs ?? defaults.clientMs,
    bodyBytesPerSecond: defaults.bodyBytesPerSecond ?? 0,
  };
}

function answering(answer: LocalResponse, route?: Route): Decision {
  return { kind: 'answer', answer, route };
}

function refusal(reason: string): LocalResponse {
  return isAnswerReason(reason) ? localResponse(reason) : { ...localResponse('bad-path'), reason };
}

const pathReasons = /^path-/;

function isAnswerReason(reason: string): reason is LocalResponseReason {
  return !pathReasons.test(reason);
}

function carriesBody(request: IncomingMessage): boolean {
  return bodyKindOf(request.rawHeaders) !== 'none';
}

function joinedValue(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}
