import { isIP } from 'node:net';
import { parseBoolean } from '@swarmgate/runtime';
import { isHeaderValue } from '../definition/header-names.ts';
import type { RateLimit, RateLimitKey, UserEntry } from '../definition/service-definition.ts';
import type { LabelParsed, LabelParser, ReadingOptions } from './label-entry.ts';

/** Parsers that several labels share. Pure; never throw. */

export const ok = <T>(value: T | undefined): LabelParsed<T> => ({ ok: true, value });
export const not = (expected: string): LabelParsed<never> => ({ ok: false, expected });

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** A header or method name (RFC 9110, section 5.6.2). */
export function isToken(text: string): boolean {
  return token.test(text);
}

/** Parts between separators, trimmed, empty ones dropped. */
export function splitList(text: string, options: ReadingOptions): string[] {
  return text
    .split(options.separator === '' ? ',' : options.separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

export const text: LabelParser<string> = (raw) => ok(raw.trim());

export const boolean: LabelParser<boolean> = (raw) => {
  const parsed = parseBoolean(raw.trim());
  return parsed.ok ? ok(parsed.value) : not(parsed.expected);
};

export const list: LabelParser<readonly string[]> = (raw, options) => {
  const parts = splitList(raw, options);
  return parts.length === 0 ? not('at least one value') : ok(parts);
};

export const integer =
  (least: number, most: number): LabelParser<number> =>
  (raw) => {
    const trimmed = raw.trim();
    const value = Number(trimmed);
    return /^\d{1,10}$/.test(trimmed) && value >= least && value <= most
      ? ok(value)
      : not(`a whole number from ${least} to ${most}`);
  };

export const port: LabelParser<number> = integer(1, 65_535);

/** Docker Flow's timeouts are whole or broken seconds; the definition holds milliseconds. */
export const secondsAsMs: LabelParser<number> = (raw) => {
  const trimmed = raw.trim();
  const value = Number(trimmed);
  return /^\d+(\.\d+)?$/.test(trimmed) && value <= 2_000_000
    ? ok(Math.round(value * 1000))
    : not('a number of seconds, at most 2000000');
};

export const oneOf =
  <const T extends string>(...allowed: readonly T[]): LabelParser<T> =>
  (raw) => {
    const found = allowed.find((each) => each === raw.trim());
    return found === undefined ? not(`one of ${allowed.join(', ')}`) : ok(found);
  };

/** Methods are compared as they are written (RFC 9110, section 9.1); labels in lower case mean the usual ones. */
export const methods: LabelParser<readonly string[]> = (raw, options) => {
  const parts = splitList(raw, options).map((part) => part.toUpperCase());
  return parts.length > 0 && parts.every(isToken) ? ok(parts) : not('HTTP methods such as GET,POST');
};

/** `K:V,K2:V2`; the first colon splits, so a value may hold more of them. */
export const headerPairs: LabelParser<Readonly<Record<string, string>>> = (raw, options) => {
  const pairs = new Map<string, string>();
  for (const part of splitList(raw, options)) {
    const colon = part.indexOf(':');
    const name = part.slice(0, Math.max(colon, 0)).trim();
    const value = part.slice(colon + 1).trim();
    // A record cannot hold the key `__proto__`: the condition would be lost on its way, and let everybody in.
    if (!isToken(name) || name === '__proto__' || !isHeaderValue(value))
      return not('pairs such as X-Version:3,X-Name:Jane');
    pairs.set(name, value);
  }
  return pairs.size === 0 ? not('pairs such as X-Version:3,X-Name:Jane') : ok(Object.fromEntries(pairs));
};

/** A user as a label or a users file gives it. */
export interface GivenUser {
  readonly username: string;
  readonly password?: string;
}

/**
 * `name:password` by comma or line, whatever `SEPARATOR` is; a name alone is looked up elsewhere. `undefined` where one
 * of them has no name or an empty password.
 */
export function readUsers(raw: string): readonly GivenUser[] | undefined {
  const users: GivenUser[] = [];
  for (const part of raw.split(/[,\n]/).map((each) => each.trim())) {
    if (part === '') continue;
    const colon = part.indexOf(':');
    const username = (colon === -1 ? part : part.slice(0, colon)).trim();
    const password = colon === -1 ? undefined : part.slice(colon + 1).trim();
    if (username === '' || password === '') return undefined;
    users.push(password === undefined ? { username } : { username, password });
  }
  return users;
}

/** The names only: passwords travel apart from the definition until they are hashed. */
export const users: LabelParser<readonly UserEntry[]> = (raw) => {
  const read = readUsers(raw);
  if (read === undefined || read.length === 0) return not('users such as jane:secret,joe:secret or jane,joe');
  return ok(read.map(({ username }) => ({ username })));
};

const windows = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `100/s`, `20/10s`, `1000/h`. */
export const rateLimit: LabelParser<RateLimit> = (raw) => {
  const match = /^(\d{1,9})\s*\/\s*(\d{0,5})\s*([smhd])$/.exec(raw.trim());
  const requests = Number(match?.[1]);
  const windowMs = Number(match?.[2] || 1) * windows[(match?.[3] ?? 's') as keyof typeof windows];
  if (match === null || requests < 1 || windowMs < 1 || windowMs > 86_400_000)
    return not('requests per time, such as 100/s, 20/10s or 1000/h, in at most a day');
  return ok({ requests, windowMs });
};

export const rateLimitKey: LabelParser<RateLimitKey> = (raw) => {
  const trimmed = raw.trim();
  if (trimmed === 'ip') return ok({ kind: 'ip' });
  const name = /^header:(.+)$/.exec(trimmed)?.[1]?.trim();
  return name !== undefined && isToken(name) ? ok({ kind: 'header', name }) : not('ip or header:NAME');
};

/** CIDRs; an address alone is the one address. */
export const networks: LabelParser<readonly string[]> = (raw, options) => {
  const found: string[] = [];
  for (const part of splitList(raw, options)) {
    const [address = '', bits, ...rest] = part.split('/');
    const family = isIP(address);
    const most = family === 4 ? 32 : 128;
    if (family === 0 || rest.length > 0 || address.includes('%')) return not(networksExpected);
    if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= most)) return not(networksExpected);
    found.push(`${address}/${bits === undefined ? most : Number(bits)}`);
  }
  return found.length === 0 ? not(networksExpected) : ok(found);
};
const networksExpected = 'addresses or CIDRs such as 10.0.0.0/8,192.168.1.7';
