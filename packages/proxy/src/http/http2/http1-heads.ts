import type { RequestLine } from './client-session.ts';
import { flatOfLines } from './field-lines.ts';
import type { ResponseHead } from './message-head.ts';

/** A request's head for an HTTP/2 endpoint. */
export interface Http2RequestHead {
  readonly line: RequestLine;
  /** Flat name, value, name, value, lower case, without the fields of one connection. */
  readonly flat: string[];
}

/**
 * Translates a head that was made for an HTTP/1.1 endpoint (RFC 9113, section 8.3.1): the request line and Host become
 * pseudo-header fields, the fields of one connection are left out.
 * @param head request line, field lines and the empty line; sound, because the proxy made it
 */
export function http2RequestHead(head: string, scheme: RequestLine['scheme']): Http2RequestHead {
  const lineEnd = head.indexOf('\r\n');
  const methodEnd = head.indexOf(' ');
  const targetEnd = head.lastIndexOf(' ', lineEnd);
  const flat = flatOfLines(head.slice(lineEnd + 2));
  const authority = takeField(flat, 'host') ?? '';
  const method = head.slice(0, methodEnd);
  return { line: { method, scheme, authority, path: head.slice(methodEnd + 1, targetEnd) }, flat };
}

/** Removes the first field of a name, and returns its value. */
export function takeField(flat: string[], name: string): string | undefined {
  for (let at = 0; at < flat.length; at += 2) if (flat[at] === name) return flat.splice(at, 2)[1];
  return undefined;
}

/** The head of a response as an HTTP/1.1 endpoint sends it, so that the exchange reads both alike. */
export function http1ResponseHead({ status, fields }: Pick<ResponseHead, 'status' | 'fields'>): string {
  let text = `HTTP/1.1 ${status} \r\n`;
  for (const field of fields) text += field.line;
  return `${text}\r\n`;
}
