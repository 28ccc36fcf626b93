import type { Destination } from '@swarmgate/registry';
import type { RequestTarget } from '../model/request-target.ts';

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

/** One of `entryPorts`. Both must hold where both are set. */
export interface EntryPortPattern {
  readonly port: number | undefined;
  readonly secure: boolean | undefined;
}

/** @param text `plain`, `ssl`, `8080`, `443:ssl` */
export function entryPortPattern(text: string): EntryPortPattern {
  if (text === 'plain' || text === 'ssl') return { port: undefined, secure: text === 'ssl' };
  return { port: Number.parseInt(text, 10), secure: text.endsWith(':ssl') ? true : undefined };
}

export function entersAt({ port, secure }: EntryPortPattern, target: Pick<RequestTarget, 'port' | 'secure'>): boolean {
  if (port !== undefined && port !== target.port) return false;
  return secure === undefined || secure === (target.secure === true);
}
