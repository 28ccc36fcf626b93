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
