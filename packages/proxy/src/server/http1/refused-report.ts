import type { AccessRecord } from '../../exchange/access-record.ts';
import type { LocalResponse } from '../../middleware/middleware.ts';

/** What the log and the metrics hear of bytes that never became a request. */
export function refusedReport(
  answer: LocalResponse,
  cause: string | undefined,
  bytes: { readonly sent: number; readonly received: number },
  clientAddress: string,
): AccessRecord {
  return {
    route: undefined,
    endpoint: undefined,
    method: '',
    host: '',
    path: '',
    status: answer.status,
    reason: answer.reason,
    durationMs: 0,
    upstreamMs: undefined,
    retries: 0,
    sentBytes: bytes.sent,
    receivedBytes: bytes.received,
    clientAddress,
    lane: 'raw',
    ...(cause === undefined ? {} : { cause }),
  };
}
