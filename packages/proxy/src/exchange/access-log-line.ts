import type { AccessRecord } from './access-record.ts';

/**
 * One JSON object. Its fields are documented in docs/access-log.md, which a test holds equal; those without a value are
 * absent.
 */
export function asJson(record: AccessRecord, at: Date, withQuery: boolean): string {
  const { route, endpoint } = record;
  const line = JSON.stringify({
    level: 'access',
    time: at.toISOString(),
    client: record.clientAddress,
    user: record.user,
    method: record.method,
    host: record.host,
    path: record.path,
    sentPath: record.sentPath === record.path ? undefined : record.sentPath,
    query: withQuery && record.query !== '' ? record.query : undefined,
    protocol: record.protocol,
    status: record.status,
    grpcStatus: record.grpcStatus,
    reason: record.reason,
    cause: record.cause,
    route: route?.id,
    service: route?.key,
    endpoint: endpoint?.id,
    durationMs: rounded(record.durationMs),
    upstreamMs: record.upstreamMs === undefined ? undefined : rounded(record.upstreamMs),
    authMs: record.authMs === undefined ? undefined : rounded(record.authMs),
    retries: record.retries,
    sentBytes: record.sentBytes,
    sentBodyBytes: record.sentBodyBytes,
    receivedBytes: record.receivedBytes,
    referer: refererOf(record, withQuery),
    userAgent: record.userAgent,
    traceId: record.trace?.traceId,
    spanId: record.trace?.spanId,
  });
  // JSON escapes the control characters below U+0020 only.
  return line.replace(unescapedControls, (character) => `\\u${hex(character.charCodeAt(0), 4)}`);
}

const unescapedControls = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/**
 * NCSA's Common Log Format, in UTC: host, identity (never known), authenticated user, time, request line as sent, status,
 * bytes of the body, `-` for none.
 */
export function asCommon(record: AccessRecord, at: Date, withQuery: boolean): string {
  const user = record.user === undefined ? '-' : unquoted(record.user);
  const bytes = record.sentBodyBytes === 0 ? '-' : record.sentBodyBytes;
  const line = quoted(requestLine(record, withQuery));
  return `${unquoted(record.clientAddress)} - ${user} [${dateOf(at)}] ${line} ${record.status} ${bytes}`;
}

/** The same, with Referer and User-Agent. */
export function asCombined(record: AccessRecord, at: Date, withQuery: boolean): string {
  const referer = quoted(refererOf(record, withQuery) ?? '-');
  return `${asCommon(record, at, withQuery)} ${referer} ${quoted(record.userAgent ?? '-')}`;
}

function requestLine({ method, sentPath, query, protocol }: AccessRecord, withQuery: boolean): string {
  if (method === '') return '-';
  // As nginx and Apache write it: what reads these logs expects two numbers.
  const version = protocol === 'HTTP/2' ? 'HTTP/2.0' : protocol;
  return `${method} ${sentPath}${withQuery ? query : ''} ${version}`;
}

/** The page's own query is left out with the others. */
function refererOf({ referer }: AccessRecord, withQuery: boolean): string | undefined {
  return withQuery ? referer : referer?.replace(/[?#].*$/s, '');
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function dateOf(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const date = `${two(at.getUTCDate())}/${months[at.getUTCMonth()]}/${at.getUTCFullYear()}`;
  return `${date}:${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`;
}

/** Whatever a client sends stays on its line and inside its quotes. */
function quoted(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]|["\\]/gu, escaped)}"`;
}

/** Columns are distinguished by blanks. */
function unquoted(text: string): string {
  return text === '' ? '""' : text.replace(/[^\x21-\x7e]|["\\]/gu, escaped);
}

/** Values of fields hold one byte a character; a user name may hold any character, and is written as UTF-8. */
function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${hex(code, 2)}`;
  return [...Buffer.from(character)].map((byte) => `\\x${hex(byte, 2)}`).join('');
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
