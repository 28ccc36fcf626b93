/** Fields of a response that say when to send again. */
export interface RetryAfter {
  readonly retryAfter: string | undefined;
  readonly date: string | undefined;
}

/** A collector's response, as far as the exporter needs it. */
export interface PostResponse {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: RetryAfter;
}

const mostBodyLength = 64 * 1_024;

/**
 * Reads a response of HTTP/1.1 to a request that closes its connection (RFC 9112, section 6.3).
 * @param text what has come, as latin1
 * @param ended nothing more comes
 * @returns `undefined`: it is not complete. @throws Error for what is no such response
 */
export function postResponseIn(text: string, ended: boolean): PostResponse | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) {
    if (text.length > mostBodyLength) throw new Error('its response head is too long');
    return undefined;
  }
  const head = text.slice(0, headEnd);
  const status = Number(/^HTTP\/1\.[01] ([1-5]\d\d)(?: |\r|$)/.exec(head)?.[1]);
  if (Number.isNaN(status)) throw new Error('its response is not HTTP/1.1');
  const rest = text.slice(headEnd + 4);
  if (status < 200) return postResponseIn(rest, ended);
  const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, 'im').exec(head)?.[1];
  const body = bodyIn(rest, status, field('transfer-encoding'), field('content-length'), ended);
  if (body === undefined) return undefined;
  const retryAfter = { retryAfter: field('retry-after'), date: field('date') };
  return { status, body: Buffer.from(body, 'latin1').toString('utf8'), retryAfter };
}

/** `undefined`: it is not complete. What is longer than the exporter reads counts as complete. */
function bodyIn(
  rest: string,
  status: number,
  coding: string | undefined,
  length: string | undefined,
  ended: boolean,
): string | undefined {
  if (status === 204 || status === 304) return '';
  const isLong = rest.length > mostBodyLength;
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') throw new Error(`its response is coded as ${coding.slice(0, 100)}`);
    return isLong ? '' : dechunked(rest);
  }
  if (length === undefined) return ended || isLong ? rest : undefined;
  if (!/^\d{1,15}$/.test(length)) throw new Error('its Content-Length is no number');
  if (rest.length >= Number(length)) return rest.slice(0, Number(length));
  return isLong ? rest : undefined;
}

function dechunked(rest: string): string | undefined {
  let body = '';
  for (let at = 0; ; ) {
    const lineEnd = rest.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = /^([0-9a-f]{1,8})[ \t]*(?:;|$)/i.exec(rest.slice(at, lineEnd))?.[1];
    if (size === undefined) throw new Error('a chunk of its response has no size');
    const bytes = Number.parseInt(size, 16);
    if (bytes === 0) return body;
    const from = lineEnd + 2;
    if (rest.length < from + bytes + 2) return undefined;
    body += rest.slice(from, from + bytes);
    at = from + bytes + 2;
  }
}
