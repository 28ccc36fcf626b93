import type { IncomingHttpHeaders } from 'node:http';
import type { HeaderList } from '../model/header-list.ts';

/** Fields of which node:http keeps the first value and drops the others. */
const single = new Set([
  'age',
  'authorization',
  'content-length',
  'content-type',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'server',
  'user-agent',
]);

/** Headers in the form of `IncomingMessage.headers` (https://nodejs.org/api/http.html#messageheaders). */
export function headersObjectOf(flat: readonly string[]): IncomingHttpHeaders {
  const headers: Record<string, string | string[]> = Object.create(null);
  for (let at = 0; at < flat.length; at += 2) {
    const name = (flat[at] as string).toLowerCase();
    const value = flat[at + 1] as string;
    const before = headers[name];
    if (name === 'set-cookie') headers[name] = [...(Array.isArray(before) ? before : []), value];
    else if (before === undefined) headers[name] = value;
    else if (!single.has(name)) headers[name] = `${before}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  return headers;
}

/** Headers in the form of `IncomingMessage.headersDistinct`. */
export function distinctHeadersOf(flat: readonly string[]): NodeJS.Dict<string[]> {
  const headers: NodeJS.Dict<string[]> = Object.create(null);
  for (let at = 0; at < flat.length; at += 2) {
    const name = (flat[at] as string).toLowerCase();
    headers[name] = [...(headers[name] ?? []), flat[at + 1] as string];
  }
  return headers;
}

/** Carries what code has changed in `now`, compared with `before`, over to the headers that are forwarded. */
export function applyHeaderChanges(
  headers: HeaderList,
  before: Readonly<IncomingHttpHeaders>,
  now: Readonly<IncomingHttpHeaders>,
): void {
  for (const name of Object.keys(before)) if (now[name] === undefined) headers.delete(name);
  for (const [name, value] of Object.entries(now)) {
    if (value === undefined || isSame(value, before[name])) continue;
    headers.deleteInEverySpelling(name);
    for (const each of Array.isArray(value) ? value : [value]) headers.add(name, String(each));
  }
}

function isSame(one: string | string[], other: string | string[] | undefined): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other;
  return one.length === other.length && one.every((each, at) => each === other[at]);
}
