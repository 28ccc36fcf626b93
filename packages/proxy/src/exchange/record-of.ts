import type { Protocol } from '../model/exchange.ts';
import type { AccessRecord } from './access-record.ts';
import type { ClientSide } from './client-side.ts';
import type { RecordedRequest } from './decide.ts';
import type { Forwarding } from './forwarding.ts';
import type { Tunnel } from './tunnel.ts';

export interface ExchangeEnd {
  readonly status: number;
  readonly reason: string | undefined;
  readonly cause: string | undefined;
  /** Both by `performance.now()`. */
  readonly startedMs: number;
  readonly endedMs: number;
}

/** The access record of an exchange that has ended. */
export function recordOf(
  request: RecordedRequest & { readonly method: string; readonly protocol: Protocol },
  { sink, body, cache }: Pick<ClientSide, 'sink' | 'body' | 'cache'>,
  forwarding: Forwarding | undefined,
  tunnel: Tunnel | undefined,
  { status, reason, cause, startedMs, endedMs }: ExchangeEnd,
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
    secure: cache.info.secure,
    entryPort: cache.info.entryPort,
    status,
    reason,
    cause,
    durationMs: endedMs - startedMs,
    upstreamMs: headAtMs === undefined ? undefined : headAtMs - (forwarding as Forwarding).attemptAtMs,
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
