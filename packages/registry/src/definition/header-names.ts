/**
 * Headers that belong to a connection or say where a message ends (RFC 9110, section 7.6.1; RFC 9112, section 6). A
 * route may not touch them: whoever sets one changes what the next reader takes for a message.
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
  return framing.has(name.toLowerCase());
}

/**
 * As `isFramingHeader`, for what a route may not touch on a request: `Via` too, because it is how a loop is noticed and
 * how the admin port knows that somebody else's call was forwarded to it.
 */
export function isFixedRequestHeader(name: string): boolean {
  return isFramingHeader(name) || name.toLowerCase() === 'via';
}

/** Visible ASCII, blanks, tabs and the bytes above: what a field value may hold (RFC 9110, section 5.5). */
export function isHeaderValue(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}
