import { parseNetwork } from '@swarmgate/runtime';
import type { z } from 'zod';
import { isFixedRequestHeader, isFramingHeader, isHeaderValue, isToken } from '../values/header-names.ts';
import { isPasswordHash } from '../values/password-hash.ts';
import { regularExpressionFault } from '../values/regular-expression.ts';
import { readUser } from '../values/users.ts';
import { not, ok, type ParsedLabel, type Value } from '../values/value.ts';
import { readCircuitExpression } from './circuit-expression.ts';

/** Kinds of values that options of middleware hold. An option that is given several times is read as lines. */

/** A text that a check lets pass. @param fault what is expected instead, or nothing */
function checked(fault: (text: string) => string | undefined, clean = (text: string) => text): Value<string> {
  return {
    parse: (raw) => {
      const value = clean(raw);
      const expected = fault(value);
      return expected === undefined ? ok(value) : not(expected);
    },
    schema: (zod) => zod.string().superRefine((value, context) => refine(fault(value), context)),
  };
}

function refine(expected: string | undefined, context: z.RefinementCtx<string>): void {
  if (expected !== undefined) context.addIssue({ code: 'custom', message: `expected ${expected}` });
}

const mostItems = 100;

/** One item a line, or several by comma or blank. */
export function listOf<T>(item: Value<T>, cut = /[\s,]+/): Value<readonly T[]> {
  return {
    parse: (raw, options) => {
      const items: T[] = [];
      for (const part of raw.split(cut).filter((each) => each !== '')) {
        const parsed = item.parse(part, options);
        if (!parsed.ok) return parsed as ParsedLabel<readonly T[]>;
        if (parsed.value !== undefined) items.push(parsed.value);
      }
      if (items.length === 0) return not('at least one value');
      return items.length > mostItems ? not(`at most ${mostItems} values`) : ok(items);
    },
    schema: (zod) => zod.array(item.schema(zod)).min(1).max(mostItems),
  };
}

/** One item a line: for texts that hold blanks or commas of their own. */
export function linesOf<T>(item: Value<T>): Value<readonly T[]> {
  return listOf(item, /\n/);
}

export const expression = checked((text) =>
  text === '' ? 'a regular expression' : regularExpressionFault(text)?.replace(/^expected /, ''),
);

/** Text that a path may hold as it is sent. */
export const pathText = checked((text) => {
  if (!text.startsWith('/')) return 'a path that begins with /';
  return /^[\x21\x22\x24-\x3e\x40-\x7e]{1,2000}$/.test(text)
    ? undefined
    : 'a path without ?, #, blanks and control characters';
});

/** A path with a query. */
export const targetText = checked((text) =>
  /^\/[\x21\x22\x24-\x7e]{0,2000}$/.test(text)
    ? undefined
    : 'a path and query without #, blanks and control characters',
);

const mostReplacement = 2000;

/** Groups as `$1` and `${1}`, a dollar sign as `$$` (Go's regexp.Expand). */
export const replacement = checked((text) =>
  /^[\x20-\x7e]*$/.test(text) && text.length <= mostReplacement
    ? undefined
    : `visible ASCII, at most ${mostReplacement} characters`,
);

export const circuitExpression = checked((text) => {
  const read = readCircuitExpression(text);
  return read.ok ? undefined : read.expected;
});

/** A host as requests name it: lower case, without a port. */
export const hostName = checked(
  (text) => (/^([a-z0-9._-]+|\[[0-9a-f:.]+\])$/.test(text) ? undefined : 'host names such as shop.example'),
  (raw) =>
    raw
      .trim()
      .toLowerCase()
      .replace(/:\d{1,5}$/, ''),
);

export const headerName = checked((text) => (isToken(text) ? undefined : 'the name of a header'));

export const requestHeaderName = checked((text) =>
  isToken(text) && !isFixedRequestHeader(text) && text.toLowerCase() !== 'host'
    ? undefined
    : 'the name of a header that does not frame or address the message',
);

/** `NAME=value`; an empty value removes the header. */
function headersOf(isFixed: (name: string) => boolean): Value<Readonly<Record<string, string>>> {
  const fault = (name: string, value: string): string | undefined => {
    if (!isToken(name) || isFixed(name)) return `headers that do not frame the message, not ${JSON.stringify(name)}`;
    return isHeaderValue(value) ? undefined : 'header values of visible ASCII';
  };
  return {
    parse: (raw) => {
      const headers: Record<string, string> = {};
      for (const line of raw.split('\n')) {
        const equals = line.indexOf('=');
        if (equals < 1) return not('NAME=value');
        const name = line.slice(0, equals).trim();
        const value = line.slice(equals + 1).trim();
        const wrong = fault(name, value);
        if (wrong !== undefined) return not(wrong);
        headers[name] = value;
      }
      return ok(headers);
    },
    schema: (zod) =>
      zod.record(zod.string(), zod.string()).superRefine((headers, context) => {
        for (const [name, value] of Object.entries(headers)) {
          const wrong = fault(name, value);
          if (wrong !== undefined) context.addIssue({ code: 'custom', path: [name], message: `expected ${wrong}` });
        }
      }),
  };
}

export const requestHeaders = headersOf(isFixedRequestHeader);
export const responseHeaders = headersOf(isFramingHeader);
export const headerText = checked((text) =>
  text !== '' && isHeaderValue(text) ? undefined : 'the value of a header, in visible ASCII',
);

/** An http or https URL without user, password and fragment. */
export const serviceUrl = checked(
  (text) => {
    const expected = 'a URL such as http://auth:9091/verify, without user, password and fragment';
    if (!/^https?:\/\/[A-Za-z0-9[]/i.test(text) || !/^[\x21-\x7e]{1,2000}$/.test(text)) return expected;
    try {
      const { username, password, hash } = new URL(text);
      return username === '' && password === '' && hash === '' ? undefined : expected;
    } catch {
      return expected;
    }
  },
  (raw) => raw.trim(),
);

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `500ms`, `10s`, `1m`, or a number of seconds. Documents hold milliseconds. */
export function duration(leastMs: number, mostMs: number): Value<number> {
  const expected = `a time such as 500ms, 10s or 1m, from ${leastMs} ms to ${mostMs / 1000} s`;
  return {
    parse: (raw) => {
      const match = /^(\d{1,9}(?:\.\d{1,6})?)\s*(ms|s|m|h)?$/.exec(raw.trim());
      const ms = Math.round(Number(match?.[1]) * (units[match?.[2] ?? 's'] as number));
      return match !== null && ms >= leastMs && ms <= mostMs ? ok(ms) : not(expected);
    },
    schema: (zod) => zod.int().min(leastMs).max(mostMs),
  };
}

/** `65536`, `64KB`, `1MB`: 1,024 bytes are one KB. */
export function size(leastBytes: number, mostBytes: number): Value<number> {
  return {
    parse: (raw) => {
      const match = /^(\d{1,12})\s*(b|kb|mb|gb)?$/i.exec(raw.trim());
      const power = ['b', 'kb', 'mb', 'gb'].indexOf((match?.[2] ?? 'b').toLowerCase());
      const bytes = Number(match?.[1]) * 1024 ** power;
      return match !== null && bytes >= leastBytes && bytes <= mostBytes
        ? ok(bytes)
        : not(`a number of bytes such as 65536, 64KB or 1MB, from ${leastBytes} to ${mostBytes}`);
    },
    schema: (zod) => zod.int().min(leastBytes).max(mostBytes),
  };
}

export const network: Value<string> = {
  parse: (raw) => {
    const found = parseNetwork(raw.trim());
    return found === undefined ? not('addresses or CIDRs such as 10.0.0.0/8') : ok(`${found.address}/${found.bits}`);
  },
  schema: (zod) => zod.union([zod.cidrv4(), zod.cidrv6()]),
};

export interface HashedUser {
  readonly username: string;
  readonly passwordHash: string;
}

/** `name:hash`, as htpasswd writes it. */
export const hashedUser: Value<HashedUser> = {
  parse: (raw) => {
    const user = readUser(raw.trim());
    const hash = user?.password;
    return user !== undefined && hash !== undefined && isPasswordHash(hash)
      ? ok({ username: user.username, passwordHash: hash })
      : not('users with a salted hash ($2y$, $apr1$, $5$ or $6$), as htpasswd writes them');
  },
  schema: (zod) =>
    zod.object({
      username: zod.string().min(1),
      passwordHash: zod.string().refine(isPasswordHash, 'expected a salted hash, never a plain password'),
    }),
};

/** What requests are counted by. */
export type CountedBy =
  | { readonly kind: 'ip' }
  | { readonly kind: 'host' }
  | { readonly kind: 'header'; readonly name: string };

export const countedBy: Value<CountedBy> = {
  parse: (raw) => {
    const choice = raw.trim();
    if (choice === 'ip' || choice === 'host') return ok({ kind: choice });
    const name = /^header:(.+)$/.exec(choice)?.[1]?.trim();
    return name !== undefined && isToken(name) ? ok({ kind: 'header', name }) : not('ip, host or header:NAME');
  },
  schema: (zod) =>
    zod.union([
      zod.object({ kind: zod.literal('ip') }),
      zod.object({ kind: zod.literal('host') }),
      zod.object({ kind: zod.literal('header'), name: zod.string().refine(isToken, 'expected the name of a header') }),
    ]) as z.ZodType<CountedBy>,
};

/** `500`, `500-599`: the least and the greatest status. */
export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

export const statusRange: Value<StatusRange> = {
  parse: (raw) => {
    const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(raw.trim());
    const range = { from: Number(match?.[1]), to: Number(match?.[2] ?? match?.[1]) };
    return match !== null && range.from <= range.to ? ok(range) : not('statuses such as 404 or 500-599');
  },
  schema: (zod) => zod.object({ from: zod.int().min(100).max(599), to: zod.int().min(100).max(599) }),
};
