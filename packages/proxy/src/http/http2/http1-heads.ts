import type { RequestLine } from './client-session.ts';
import { flatOfLines, lowered } from './field-lines.ts';

/** A request's head for an HTTP/2 endpoint. One object serves every attempt: it is not changed. */
export interface Http2RequestHead {
  readonly line: RequestLine;
  /** Flat name, value, name, value, lower case, without Host and the fields of one connection. */
  readonly flat: readonly string[];
}

/**
 * Translates a head that was made for an HTTP/1.1 endpoint (RFC 9113, section 8.3.1): the request line and Host become
 * pseudo-header fields, the fields of one connection are left out.
 * @param head request line, field lines and the empty line; sound, because the proxy made it
 */
export function http2RequestHead(
  head: string,
  scheme: RequestLine['scheme'],
  wantsTrailers: boolean,
): Http2RequestHead {
  const lineEnd = head.indexOf('\r\n');
  const methodEnd = head.indexOf(' ');
  const targetEnd = head.lastIndexOf(' ', lineEnd);
  const line = { method: head.slice(0, methodEnd), scheme, path: head.slice(methodEnd + 1, targetEnd) };
  return withoutHost(line, flatOfLines(head.slice(lineEnd + 2)), wantsTrailers);
}

/** The same from fields that may have upper case: flat name, value, name, value. */
export function http2HeadOf(
  line: Omit<RequestLine, 'authority'>,
  fields: readonly string[],
  wantsTrailers: boolean,
): Http2RequestHead {
  return withoutHost(line, lowered(fields), wantsTrailers);
}

function withoutHost(line: Omit<RequestLine, 'authority'>, flat: string[], wantsTrailers: boolean): Http2RequestHead {
  const authority = takeField(flat, 'host') ?? '';
  if (wantsTrailers) flat.push('te', 'trailers');
  return { line: { ...line, authority }, flat };
}

/** Translates a head that was made for an HTTP/2 endpoint: the other way round. */
export function http1RequestHead({ line, flat }: Http2RequestHead, chunked: boolean): string {
  const { method, authority, path } = line;
  let head = `${method} ${path} HTTP/1.1\r\n${authority === '' ? '' : `Host: ${authority}\r\n`}`;
  for (let at = 0; at < flat.length; at += 2) if (flat[at] !== 'te') head += `${flat[at]}: ${flat[at + 1]}\r\n`;
  return `${head}${chunked ? 'Transfer-Encoding: chunked\r\n' : ''}\r\n`;
}

/** Removes the first field of a name, and returns its value. */
function takeField(flat: string[], name: string): string | undefined {
  for (let at = 0; at < flat.length; at += 2) if (flat[at] === name) return flat.splice(at, 2)[1];
  return undefined;
}
