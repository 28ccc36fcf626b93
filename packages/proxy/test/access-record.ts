import type { AccessRecord } from '../src/exchange/access-record.ts';

/** The record of a plain request that went well, with what a test says otherwise. */
export function accessRecord(given: Partial<AccessRecord> = {}): AccessRecord {
  return {
    protocol: 'HTTP/1.1',
    route: undefined,
    endpoint: undefined,
    method: 'GET',
    host: 'shop.example',
    path: '/',
    query: '',
    sentPath: given.path ?? '/',
    referer: undefined,
    userAgent: undefined,
    user: undefined,
    authMs: undefined,
    secure: false,
    entryPort: 80,
    status: 200,
    grpcStatus: undefined,
    reason: undefined,
    durationMs: 1,
    upstreamMs: undefined,
    retries: 0,
    failedAttempts: undefined,
    attemptAfterMs: 0,
    sentBytes: 10,
    sentBodyBytes: 5,
    receivedBytes: 1,
    clientAddress: '127.0.0.1',
    trace: undefined,
    ...given,
  };
}
