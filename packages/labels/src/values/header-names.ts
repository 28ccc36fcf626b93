import type { z } from 'zod';
import type { Zod } from './value.ts';

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** A header or method name (RFC 9110, section 5.6.2). */
export function isToken(text: string): boolean {
  return token.test(text);
}

export function tokenSchema(zod: Zod): z.ZodType<string> {
  return zod.string().regex(token, 'expected a header name (RFC 9110, section 5.1)');
}

/**
 * Headers that belong to a connection or delimit a message (RFC 9110, section 7.6.1; RFC 9112, section 6). A route must not
 * change them: a changed one makes the next reader delimit the message differently (request smuggling).
 */
const framing = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export function isFramingHeader(name: string): boolean {
  return framing.has(folded(name));
}

/** Services that read headers as CGI does take `Content_Length` for the same name. */
function folded(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-');
}

/**
 * As `isFramingHeader`, for what a route may not change on a request: `Swarmgate-Hops` too, because loops are detected by
 * it, and the admin port detects by it that a call was forwarded.
 */
export function isFixedRequestHeader(name: string): boolean {
  return isFramingHeader(name) || folded(name) === 'swarmgate-hops';
}

/** Visible ASCII, blanks, tabs and the bytes above: what a field value may hold (RFC 9110, section 5.5). */
export function isHeaderValue(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}
