import type { Destination } from '@swarmgate/registry';

/** Ports that clients use by default, as Docker Flow has them. */
const HTTP_PORT = 80;
const HTTPS_PORT = 443;

/**
 * The entry port at which a destination is served over `port` or over `httpsPort`; `undefined`: at every one. With
 * `httpsPort` each of the two has a port of its own.
 */
export function entryPortOf(
  { httpsPort, srcPort, srcHttpsPort }: Destination,
  over: 'port' | 'httpsPort',
): number | undefined {
  if (over === 'httpsPort') return srcHttpsPort ?? HTTPS_PORT;
  return srcPort ?? (httpsPort === undefined ? undefined : HTTP_PORT);
}
