import type { Parsed, Parser } from './parsers.ts';

/** Addresses of other processes. Their reachability is not checked: they may start later. */

/** `host:port`, or an http or https URL. */
export const consulAddress: Parser<string> = (raw) =>
  hasHost(/^[a-z]+:\/\//i.test(raw) ? raw : `http://${raw}`, ['http:', 'https:'])
    ? taken(raw)
    : not('host:port, such as consul:8500, or an http or https URL');

/** Docker's own forms, as far as they need no other program. */
export const dockerAddress: Parser<string> = (raw) =>
  /^unix:\/\/./.test(raw) || hasHost(raw, ['tcp:', 'http:', 'https:'])
    ? taken(raw)
    : not('unix:///path or tcp://host:port');

/** A Redis URL; `host:port`, a port and the path of a socket count, too. */
export const redisAddress: Parser<string> = (raw) =>
  /^\d{1,5}$|^\/./.test(raw) || hasHost(raw.includes('://') ? raw : `redis://${raw}`, ['redis:', 'rediss:'])
    ? taken(raw)
    : not('a URL such as redis://:password@redis:6379, rediss:// for TLS');

function hasHost(text: string, protocols: readonly string[]): boolean {
  const url = URL.parse(text);
  return url !== null && protocols.includes(url.protocol) && url.hostname !== '';
}

function taken(value: string): Parsed<string> {
  return { ok: true, value };
}

function not(expected: string): Parsed<never> {
  return { ok: false, expected };
}
