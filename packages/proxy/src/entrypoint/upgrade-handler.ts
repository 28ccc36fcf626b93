import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionInfo } from '../exchange/client-connection.ts';
import { answerBytes, type LocalResponseReason, localResponse } from '../exchange/local-responses.ts';
import { bodyKindOf } from '../forwarding/body-kind.ts';
import type { TunnelResult } from '../forwarding/forwarder.ts';
import { statusText } from '../forwarding/hpm/upgrade-attempt.ts';
import type { LocalResponse } from '../middleware/middleware.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { connectToPicked } from '../transport/connect.ts';
import { AttemptError } from '../transport/connect-error.ts';
import { attemptOf, decide, type ExchangeParts, type ReadyExchange } from './exchange-handler.ts';
import { beginReport, type Report } from './exchange-report.ts';

/**
 * Only WebSocket upgrades are tunnelled; any other offer is ignored, as RFC 9110, section 7.8, allows. So is one with a
 * body: node:http would take the body for the first bytes of the tunnel, and the service would wait for it.
 */
export function isWebSocketUpgrade(request: IncomingMessage): boolean {
  if (bodyKindOf(request.rawHeaders) !== 'none') return false;
  return request.method === 'GET' && request.headers.upgrade?.trim().toLowerCase() === 'websocket';
}

/** Serves one upgrade to the end of its tunnel. Never throws. */
export async function handleUpgrade(
  request: IncomingMessage,
  client: Socket,
  firstBytes: Buffer,
  facts: ConnectionInfo,
  parts: ExchangeParts,
): Promise<void> {
  const report = beginReport(request, facts, parts.plane);
  // Nobody listens to a socket that left node:http; an unheard error would end the process.
  client.on('error', () => client.destroy());
  const answer = (one: LocalResponse) => {
    if (client.writable) client.end(answerBytes(one, statusText(one.status)));
    report.end(one.status, one.reason);
  };
  try {
    const decided = decide(request, facts, parts);
    const decision = decided instanceof Promise ? await decided : decided;
    if (decision.kind === 'answer') {
      report.route = decision.route;
      answer(decision.answer);
      return;
    }
    report.exchange = decision.exchange;
    const connected = await connectSomewhere(decision, client, parts, report);
    if (connected.kind === 'none') {
      answer(localResponse(connected.reason));
      return;
    }
    const { endpoint, upstream } = connected;
    const attempt = attemptOf(endpoint, decision, parts);
    const result = await parts.forwarder.tunnel(request, client, firstBytes, upstream, attempt);
    upstream.destroy();
    parts.plane.finished(endpoint, result.kind === 'failed' ? 'broken' : 'answered');
    reportTunnel(result, client, report, answer);
  } catch (error) {
    parts.logger.error({ err: error, path: request.url }, 'an upgrade could not be handled');
    answer(localResponse('internal-error'));
  }
}

function reportTunnel(
  result: TunnelResult,
  client: Socket,
  report: Report,
  answer: (one: LocalResponse) => void,
): void {
  switch (result.kind) {
    case 'tunnelled':
      report.end(101, undefined, { sent: result.sentBytes, received: result.receivedBytes });
      return;
    case 'refused':
      report.end(result.status, undefined);
      return;
    case 'failed':
      if (client.destroyed) report.end(499, 'client-gone');
      else answer(localResponse(result.reason));
  }
}

type Connected =
  | { readonly kind: 'connected'; readonly endpoint: Endpoint; readonly upstream: Socket }
  | { readonly kind: 'none'; readonly reason: LocalResponseReason };

/** Connects before anything is sent, so that every endpoint may be tried whatever the method. */
async function connectSomewhere(
  ready: ReadyExchange,
  client: Socket,
  parts: ExchangeParts,
  report: Report,
): Promise<Connected> {
  const { plane, retries } = parts;
  const { exchange } = ready;
  const tried = new Set<string>();
  let failed: LocalResponseReason | undefined;
  retries.onRequest();
  for (;;) {
    const wanted = exchange.stickTo === undefined ? { except: tried } : { except: tried, stickTo: exchange.stickTo };
    const picked = plane.pick(exchange.route, wanted);
    if (picked.kind === 'none') return { kind: 'none', reason: failed ?? picked.reason };
    const { endpoint } = picked;
    tried.add(endpoint.id);
    report.endpoint = endpoint;
    try {
      return { kind: 'connected', endpoint, upstream: await connectToPicked(picked, ready.timeouts.connectMs) };
    } catch (error) {
      failed = error instanceof AttemptError ? error.code : 'endpoint-unreachable';
      plane.finished(endpoint, failed === 'connect-timeout' ? 'timed-out' : 'refused');
      if (client.destroyed || tried.size >= 3 || !retries.take()) return { kind: 'none', reason: failed };
      report.retries += 1;
    }
  }
}
