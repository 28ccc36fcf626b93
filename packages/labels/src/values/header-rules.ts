import { settingsCatalogue } from '@swarmgate/runtime';
import type { z } from 'zod';
import { isFixedRequestHeader, isFramingHeader, isHeaderValue, isToken, tokenSchema } from './header-names.ts';
import { splitParts } from './split.ts';
import { type LabelParser, not, ok, type ParsedLabel, type ParseOptions, type Value, type Zod } from './value.ts';

/** `condition` stands for `if { ssl_fc }` or `unless { ssl_fc }`. */
export interface HeaderRule {
  readonly name: string;
  /** May hold `%[dst_port]`, `%[src]`, `%[env(NAME)]`. */
  readonly value: string;
  readonly condition?: 'if-secure' | 'unless-secure';
}

/**
 * The part of HAProxy's `http-request add-header` language that is in use: `Name value`, quotes and backslashes,
 * `%[dst_port]`, `%[src]`, `%[env(NAME)]`, and `if { ssl_fc }` or `unless { ssl_fc }` at the end. All else is refused,
 * since a header with an unexpected value may be one that an application trusts.
 */

const secretVariables = new Set(
  Object.values(settingsCatalogue).flatMap((setting): readonly string[] => ('secret' in setting ? setting.env : [])),
);

type Names = (zod: Zod) => z.ZodType<string>;

const changeableHeader: Names = (zod) =>
  tokenSchema(zod).refine(
    (name) => !isFramingHeader(name),
    'expected a header that belongs to the message, not one that frames it',
  );

const changeableRequestHeader: Names = (zod) =>
  changeableHeader(zod).refine(
    (name) => !isFixedRequestHeader(name),
    'expected a header that the proxy does not set itself',
  );

export const requestHeaderRules = rules(isFixedRequestHeader, changeableRequestHeader);
export const responseHeaderRules = rules(isFramingHeader, changeableHeader);
export const requestHeaderNames = names(isFixedRequestHeader, changeableRequestHeader);
export const responseHeaderNames = names(isFramingHeader, changeableHeader);

function rules(isFixed: (name: string) => boolean, name: Names): Value<readonly HeaderRule[]> {
  return {
    parse: rulesWithout(isFixed),
    schema: (zod) =>
      zod.array(
        zod.object({
          name: name(zod),
          value: headerTextSchema(zod),
          condition: zod.enum(['if-secure', 'unless-secure']).exactOptional(),
        }),
      ),
  };
}

function names(isFixed: (name: string) => boolean, name: Names): Value<readonly string[]> {
  return { parse: namesWithout(isFixed), schema: (zod) => zod.array(name(zod)) };
}

function headerTextSchema(zod: Zod): z.ZodType<string> {
  return zod.string().refine(isHeaderValue, 'expected one line of text in Latin letters');
}

const pairsExpected = not('pairs such as X-Version:3,X-Name:Jane');

/** `K:V,K2:V2`; the first colon splits, so a value may hold more of them. */
export const headerPairs: Value<Readonly<Record<string, string>>> = {
  parse: (raw, options) => {
    const pairs = new Map<string, string>();
    const separator = options.separator === '' ? ',' : options.separator;
    for (const { text: part } of splitParts(raw, separator, { quotedAfter: ':' })) {
      if (part === '') continue;
      const colon = part.indexOf(':');
      const name = part.slice(0, Math.max(colon, 0)).trim();
      const value = part.slice(colon + 1).trim();
      // A record cannot hold the key `__proto__`: the condition would be lost, and the route open to all.
      if (!isToken(name) || name === '__proto__' || !isHeaderValue(value)) return pairsExpected;
      pairs.set(name, value);
    }
    return pairs.size === 0 ? pairsExpected : ok(Object.fromEntries(pairs));
  },
  schema: (zod) =>
    zod
      .unknown()
      // A record drops this key, and with it the condition: the route would take requests it was not meant for.
      .refine((given) => !(typeof given === 'object' && given !== null && Object.hasOwn(given, '__proto__')), {
        error: 'expected names of headers, not __proto__',
      })
      .pipe(zod.record(tokenSchema(zod), headerTextSchema(zod))),
};

function rulesWithout(isFixed: (name: string) => boolean): LabelParser<readonly HeaderRule[]> {
  return (raw, options) => {
    const rules: HeaderRule[] = [];
    for (const part of splitOutsideQuotes(raw, options)) {
      const rule = readRule(part);
      if (!rule.ok) return rule;
      if (rule.value === undefined) continue;
      if (isFixed(rule.value.name)) return fixedRefused(rule.value.name);
      rules.push(rule.value);
    }
    return rules.length === 0 ? not('Name value, such as X-Version 3') : ok(rules);
  };
}

function namesWithout(isFixed: (name: string) => boolean): LabelParser<readonly string[]> {
  return (raw, options) => {
    const names = splitOutsideQuotes(raw, options);
    if (names.length === 0 || !names.every(isToken)) return not('header names such as X-Version,Server');
    const forbidden = names.find(isFixed);
    return forbidden === undefined ? ok(names) : fixedRefused(forbidden);
  };
}

function readRule(part: string): ParsedLabel<HeaderRule> {
  const conditional = /^(.*?)\s+(if|unless)\s+\{\s*ssl_fc\s*\}$/s.exec(part);
  const body = conditional?.[1] ?? part;
  if (conditional === null && /\s(if|unless)\s/.test(withoutQuoted(part)))
    return refused('no condition but if { ssl_fc } and unless { ssl_fc }', 'drop the condition, or split the service');
  const space = body.search(/\s/);
  const name = space === -1 ? body : body.slice(0, space);
  const value = withoutDelimiters(space === -1 ? '' : body.slice(space).trim());
  if (!isToken(name) || value === undefined || value === '' || !isHeaderValue(value))
    return not('Name value, such as X-Version 3, quotes closed, on one line, in Latin letters');
  const wrong = wrongExpression(value);
  if (wrong !== undefined) return wrong;
  const condition =
    conditional === null ? {} : ({ condition: conditional[2] === 'if' ? 'if-secure' : 'unless-secure' } as const);
  return ok({ name, value, ...condition });
}

function wrongExpression(value: string): ParsedLabel<never> | undefined {
  for (const [expression, inner = ''] of value.replaceAll('%%', '').matchAll(/%\[([^\]]*)\]?/g)) {
    const variable = /^env\(([A-Za-z_][A-Za-z0-9_]*)\)$/.exec(inner)?.[1];
    if (variable !== undefined) {
      if (!isSecretVariable(variable)) continue;
      return refused(
        `no variable that may hold a secret, such as ${variable}`,
        'use a variable that may be seen by all',
      );
    }
    if (!['src', 'dst_port'].includes(inner))
      return refused(
        `no expression ${JSON.stringify(expression)}, only %[src], %[dst_port], %[env(NAME)]`,
        'send a constant, or let the service work it out',
      );
  }
  return undefined;
}

/** A label may not carry our own secrets to a service: those of the catalogue, and whatever is named like one. */
export function isSecretVariable(name: string): boolean {
  return secretVariables.has(name) || /TOKEN|SECRET|PASS|KEY|CREDENTIAL|USERS|AUTH|DSN/i.test(name);
}

/**
 * A value without its delimiters; `undefined` where it begins with a quote that is never closed. Quotes around the whole
 * value delimit it, and others are data: `default-src 'self'` keeps them. A backslash, except inside `'…'`, stands for
 * the character after it, as HAProxy reads it.
 */
function withoutDelimiters(text: string): string | undefined {
  const quote = /^["']/.exec(text)?.[0];
  if (quote === undefined) return unescaped(text);
  const close = closingQuoteAt(text, 0);
  if (close === undefined) return undefined;
  if (close < text.length - 1) return unescaped(text);
  const inner = text.slice(1, -1);
  return quote === "'" ? inner : unescaped(inner);
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, '$1');
}

function closingQuoteAt(text: string, open: number): number | undefined {
  const quote = text.charAt(open);
  for (let at = open + 1; at < text.length; at += 1) {
    if (text.charAt(at) === '\\' && quote === '"') at += 1;
    else if (text.charAt(at) === quote) return at;
  }
  return undefined;
}

/** Spans from quote to quote, both included. A quote behind a letter or digit opens none: `it's`. */
function quotedSpans(text: string): ReadonlyMap<number, number> {
  const spans = new Map<number, number>();
  // A quote character with no second one behind it is not looked for again.
  const unclosed = new Set<string>();
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '\\') at += 1;
    else if (/["']/.test(character) && !unclosed.has(character) && !/[A-Za-z0-9]/.test(text.charAt(at - 1))) {
      const close = closingQuoteAt(text, at);
      if (close === undefined) unclosed.add(character);
      else {
        spans.set(at, close);
        at = close;
      }
    }
  }
  return spans;
}

function withoutQuoted(text: string): string {
  let rest = text;
  for (const [open, close] of [...quotedSpans(text)].toReversed())
    rest = `${rest.slice(0, open)}""${rest.slice(close + 1)}`;
  return rest;
}

/** Docker Flow cuts at every separator; one inside quotes or behind a backslash belongs to the value here. */
function splitOutsideQuotes(text: string, options: ParseOptions): string[] {
  const separator = options.separator === '' ? ',' : options.separator;
  const spans = quotedSpans(text);
  const parts: string[] = [''];
  for (let at = 0; at < text.length; ) {
    const close = spans.get(at);
    let end = at + 1;
    if (close !== undefined) end = close + 1;
    else if (text.startsWith(separator, at)) {
      parts.push('');
      at += separator.length;
      continue;
    } else if (text.charAt(at) === '\\') end = at + 2;
    parts[parts.length - 1] += text.slice(at, end);
    at = end;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function fixedRefused(name: string): ParsedLabel<never> {
  return refused(`a header that belongs to the message, not ${name}, which the proxy sets itself`, `leave ${name} out`);
}

function refused(expected: string, suggestion: string): ParsedLabel<never> {
  return { ok: false, reason: 'label-value-refused', expected, suggestion };
}
