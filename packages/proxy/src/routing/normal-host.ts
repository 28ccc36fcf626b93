import { isIPv6 } from 'node:net';

export type NormalHost =
  | { readonly ok: true; readonly host: string; readonly port: number | undefined }
  | { readonly ok: false; readonly reason: 'host-invalid' };

/**
 * Brings a Host header (or the authority of an absolute-form target) into the form that rules are matched against:
 * lower case, without port and without the trailing dot of a fully qualified name.
 *
 * | in the request | becomes |
 * |---|---|
 * | `Shop.Example`, `shop.example.`, `shop.example:8080` | `shop.example` |
 * | `[2001:DB8:0::1]:443` | `[2001:db8::1]` (RFC 5952) |
 * | empty; empty label (`a..b`, `.a`); over 253 characters, or 63 in a label; a port over 65535 | refused |
 * | user information (`u@h`), spaces, commas, percent-encoding, anything beyond letters, digits, `-`, `_`, `.` | refused |
 *
 * Underscores are let through: compose names have them.
 */
export function normalizeHost(raw: string): NormalHost {
  if (raw === last.raw) return last.normal;
  const normal = normalFormOf(raw);
  last = { raw, normal };
  return normal;
}

/** Of the last call: clients that open a connection for each request send the same host over and over. */
let last: { readonly raw: string; readonly normal: NormalHost } = {
  raw: '',
  normal: { ok: false, reason: 'host-invalid' },
};

function normalFormOf(raw: string): NormalHost {
  if (PLAIN_HOST.test(raw) && raw.length <= 253 && labelsFit(raw)) return { ok: true, host: raw, port: undefined };
  const literal = raw.startsWith('[');
  const nameEnd = literal ? raw.indexOf(']') + 1 : firstOr(raw.indexOf(':'), raw.length);
  if (literal && nameEnd === 0) return refused;
  const port = readPort(raw.slice(nameEnd));
  if (port === 'invalid') return refused;
  const host = literal ? literalHost(raw.slice(0, nameEnd)) : nameHost(raw.slice(0, nameEnd));
  return host === undefined ? refused : { ok: true, host, port };
}

const refused = { ok: false, reason: 'host-invalid' } as const;

const PLAIN_HOST = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

function firstOr(index: number, otherwise: number): number {
  return index === -1 ? otherwise : index;
}

/** What follows the name: nothing, `:` (an empty port is lawful, RFC 3986, 3.2.3) or `:port`. */
function readPort(rest: string): number | undefined | 'invalid' {
  if (rest === '' || rest === ':') return undefined;
  if (!/^:[0-9]{1,5}$/.test(rest)) return 'invalid';
  const port = Number(rest.slice(1));
  return port <= 65_535 ? port : 'invalid';
}

function nameHost(name: string): string | undefined {
  const lower = (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
  return PLAIN_HOST.test(lower) && lower.length <= 253 && labelsFit(lower) ? lower : undefined;
}

function labelsFit(name: string): boolean {
  if (name.length <= 63) return true;
  return name.split('.').every((label) => label.length <= 63);
}

function literalHost(literal: string): string | undefined {
  const address = literal.slice(1, -1);
  // Zone identifiers mean nothing on another machine.
  if (!isIPv6(address) || address.includes('%')) return undefined;
  return new URL(`http://${literal}/`).hostname;
}
