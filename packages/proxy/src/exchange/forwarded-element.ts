import { isIPv6 } from 'node:net';

/**
 * This hop's element of `Forwarded` (RFC 7239, section 4): the client, the host and the scheme of a request.
 * @param peerAddress empty where the connection has gone already
 * @param sentHost the Host header as it was sent; empty where there was none
 */
export function forwardedElement(peerAddress: string, sentHost: string, scheme: string): string {
  const sender = peerAddress === '' ? 'unknown' : isIPv6(peerAddress) ? `"[${peerAddress}]"` : peerAddress;
  const host = sentHost === '' ? '' : `host=${asValue(sentHost)};`;
  return `for=${sender};${host}proto=${scheme}`;
}

/** A port's colon is no part of a token, so most hosts with one are quoted. */
function asValue(text: string): string {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}
