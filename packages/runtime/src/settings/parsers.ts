import { longestTimerMs } from '../lifecycle.ts';
import { isName, nameExpected } from '../names.ts';
import { parseNetwork } from '../networks.ts';

/** What a parser makes of a text: a value, or why not. Never throws. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly expected: string };

export type Parser<T> = (text: string) => Parsed<T>;

const ok = <T>(value: T): Parsed<T> => ({ ok: true, value });
const not = (expected: string): Parsed<never> => ({ ok: false, expected });

export const text: Parser<string> = (raw) => ok(raw);

/** Comma list, each part trimmed, empty parts dropped. */
export const list: Parser<readonly string[]> = (raw) =>
  ok(
    raw
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  );

/** What a client can send in a header, byte for byte the same: a token that no client can send would lock every caller out. */
export const bearerToken: Parser<string> = (raw) =>
  /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(raw)
    ? ok(raw)
    : not('printable ASCII characters without spaces at either end (openssl rand -hex 32)');

/** One key, or two with a comma between during a rotation: each 32 bytes in base64 or base64url. */
export const secretsKeys: Parser<readonly string[]> = (raw) => {
  const parts = list(raw);
  const isKey = (part: string) => /^[+/_0-9A-Za-z-]{43}=?$/.test(part);
  return parts.ok && (parts.value.length > 2 || !parts.value.every(isKey))
    ? not('32 bytes in base64, or two such keys with a comma between during a rotation (openssl rand -base64 32)')
    : parts;
};

/** Comma list of addresses and CIDRs. */
export const networks: Parser<readonly string[]> = (raw) => {
  const parts = list(raw);
  return parts.ok && parts.value.some((part) => parseNetwork(part) === undefined)
    ? not('addresses or CIDRs such as 10.0.0.0/8,2001:db8::/32')
    : parts;
};

// Go's strconv.ParseBool, because Docker Flow's stacks were written against it.
const truths = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const falsehoods = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

export const boolean: Parser<boolean> = (raw) => {
  if (truths.has(raw)) return ok(true);
  if (falsehoods.has(raw)) return ok(false);
  return not('one of 1 t T true TRUE True 0 f F false FALSE False');
};

/** Serve it by the own code, by Node's for comparison, or not. */
export const http2: Parser<boolean | 'node'> = (raw) => {
  if (raw === 'node') return ok('node');
  const parsed = boolean(raw);
  return parsed.ok ? parsed : not(`${parsed.expected}, or node`);
};

/** Not set is `false`, and so is everything that is no boolean. */
export function isTrue(raw: string | undefined): boolean {
  return raw !== undefined && truths.has(raw.trim());
}

export const integer =
  (least: number, most: number): Parser<number> =>
  (raw) => {
    const value = Number(raw);
    return /^-?\d+$/.test(raw) && value >= least && value <= most
      ? ok(value)
      : not(`a whole number from ${least} to ${most}`);
  };

export const port: Parser<number> = integer(1, 65_535);

/** Docker Flow's timeouts are in seconds; inside the process every duration is in milliseconds. */
export const seconds: Parser<number> = (raw) => {
  const value = Number(raw);
  const isInRange = /^\d+(\.\d+)?$/.test(raw) && value >= 0.001 && value <= 2_000_000;
  return isInRange ? ok(value * 1000) : not('a number of seconds from 0.001 to 2000000');
};

/** As `seconds`; 0 means no limit, which is the longest time a timer takes. */
export const secondsOrNoLimit: Parser<number> = (raw) => {
  if (/^0+(\.0+)?$/.test(raw)) return ok(longestTimerMs);
  const parsed = seconds(raw);
  return parsed.ok ? parsed : not(`${parsed.expected}, or 0 for no limit`);
};

export const oneOf =
  <const T extends string>(...allowed: readonly T[]): Parser<T> =>
  (raw) =>
    (allowed as readonly string[]).includes(raw) ? ok(raw as T) : not(`one of ${allowed.join(', ')}`);

/** `raw` is what `LANE` called `core`. */
export const httpRouter: Parser<'core' | 'express'> = (raw) => {
  if (raw === 'core' || raw === 'raw') return ok('core');
  return raw === 'express' ? ok('express') : not('core or express');
};

/** An address and port clients connect to. `ssl` ends TLS there. */
export interface EntrypointSetting {
  readonly port: number;
  readonly secure: boolean;
}

/** Docker Flow's `80,443:ssl`. */
export const entrypoints: Parser<readonly EntrypointSetting[]> = (raw) => {
  const found: EntrypointSetting[] = [];
  for (const part of raw.split(',').map((each) => each.trim())) {
    if (part === '') continue;
    const match = /^(\d+)(:ssl)?$/.exec(part);
    const number = Number(match?.[1]);
    if (match === null || number < 1 || number > 65_535) return not('ports such as 80,443:ssl');
    if (found.some((each) => each.port === number)) return not('each port once');
    found.push({ port: number, secure: match[2] !== undefined });
  }
  return ok(found);
};

/** Comma list of ports. */
export const ports: Parser<readonly number[]> = (raw) => {
  const parts = list(raw);
  const found: number[] = [];
  for (const part of parts.ok ? parts.value : []) {
    const parsed = port(part);
    if (!parsed.ok) return not('ports such as 80,443');
    found.push(parsed.value);
  }
  return ok(found);
};

/** Comma list of port pairs, the first of each once. */
export const portMapping: Parser<ReadonlyMap<number, number>> = (raw) => {
  const parts = list(raw);
  const found = new Map<number, number>();
  for (const part of parts.ok ? parts.value : []) {
    const [, from, to] = /^(\d{1,5}):(\d{1,5})$/.exec(part) ?? [];
    const pair = [port(from ?? ''), port(to ?? '')] as const;
    if (!pair[0].ok || !pair[1].ok) return not('pairs of ports such as 8080:80,8443:443');
    if (found.has(pair[0].value)) return not('each entry port once');
    found.set(pair[0].value, pair[1].value);
  }
  return ok(found);
};

/** An owner or service name as the registry's keys allow it. */
export const ownerName: Parser<string> = (raw) => {
  if (!isName(raw)) return not(nameExpected);
  return ['manual', 'sample', 'env'].includes(raw) ? not('a name other than manual, sample, env (reserved)') : ok(raw);
};

export function keyPart(raw: string): Parsed<string> {
  return isName(raw) ? { ok: true, value: raw } : { ok: false, expected: nameExpected };
}

export function portOrOff(raw: string): Parsed<number | 'off'> {
  return raw === 'off' ? { ok: true, value: 'off' } : port(raw);
}

export function secondsOrOff(raw: string): Parsed<number | 'off'> {
  return raw === '-1' ? { ok: true, value: 'off' } : seconds(raw);
}

export function workerCount(raw: string): Parsed<number | 'cores'> {
  return raw === 'cores' ? { ok: true, value: 'cores' } : integer(0, 256)(raw);
}
