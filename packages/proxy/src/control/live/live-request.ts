import type { AccessRecord } from '../../exchange/access-record.ts';

/** One request as `GET /v1/requests` shows it. */
export interface LiveRequest {
  /** When it ended, ISO 8601. */
  readonly at: string;
  readonly client: string;
  readonly protocol: string;
  readonly method: string;
  readonly host: string;
  /** With the query only where `LIVE_REQUESTS_QUERY` is set. */
  readonly path: string;
  readonly status: number;
  readonly reason: string | null;
  /** `<owner>/<service>`; null where no route matched. */
  readonly service: string | null;
  readonly route: string | null;
  readonly endpoint: string | null;
  readonly durationMs: number;
  readonly upstreamMs: number | null;
  readonly retries: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly traceId: string | null;
}

/** Which requests are shown: those that fulfil every set condition. */
export interface LiveFilter {
  /** `<owner>/<service>`, or the name alone; empty: requests that no route matched. */
  readonly service?: string | undefined;
  /** From and to, both included. */
  readonly status?: { readonly from: number; readonly to: number } | undefined;
  readonly minDurationMs?: number | undefined;
  readonly reason?: string | undefined;
}

export function matches(record: AccessRecord, { service, status, minDurationMs, reason }: LiveFilter): boolean {
  if (status !== undefined && (record.status < status.from || record.status > status.to)) return false;
  if (minDurationMs !== undefined && record.durationMs < minDurationMs) return false;
  if (reason !== undefined && record.reason !== reason) return false;
  if (service === undefined) return true;
  const key = record.route?.key ?? '';
  return key === service || (!service.includes('/') && service !== '' && key.endsWith(`/${service}`));
}

export function liveRequestOf(record: AccessRecord, at: Date, withQuery: boolean): LiveRequest {
  return {
    at: at.toISOString(),
    client: record.clientAddress,
    protocol: record.protocol,
    method: record.method,
    host: record.host,
    path: withQuery ? record.path + record.query : record.path,
    status: record.status,
    reason: record.reason ?? null,
    service: record.route?.key ?? null,
    route: record.route?.id ?? null,
    endpoint: record.endpoint?.id ?? null,
    durationMs: rounded(record.durationMs),
    upstreamMs: record.upstreamMs === undefined ? null : rounded(record.upstreamMs),
    retries: record.retries,
    sentBytes: record.sentBytes,
    receivedBytes: record.receivedBytes,
    traceId: record.trace?.traceId ?? null,
  };
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
