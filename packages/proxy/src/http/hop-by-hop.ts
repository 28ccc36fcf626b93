/**
 * Fields of one connection, which the proxy ends and the next hop does not get (RFC 9110, section 7.6.1). HTTP/2 has none
 * of them (RFC 9113, section 8.2.2). Transfer-Encoding is among them because the side that frames a message writes it.
 */
export const connectionFields: ReadonlySet<string> = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** Those, and the Proxy-* fields, which belong to the hop that sent them (RFC 9110, sections 11.7.1 and 11.7.2). */
export const hopByHopFields: ReadonlySet<string> = new Set([
  ...connectionFields,
  'proxy-authenticate',
  'proxy-authorization',
]);
