import { linesOf } from '../../http/head-text.ts';
import { type Exchange, forwardedTarget } from '../../model/exchange.ts';
import { foldedName, HeaderList } from '../../model/header-list.ts';
import type { AuthSettings } from './auth-settings.ts';

/**
 * Fields that belong to the client's body, to its cache or to one hop: the auth service gets no body, and a response from a
 * cache (304) or a part (206) is no decision.
 */
const left = new Set([
  'content-length',
  'content-encoding',
  'content-type',
  'transfer-encoding',
  'trailer',
  'expect',
  'range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'connection',
  'upgrade',
  'host',
]);

const stated = new Set([
  'x-forwarded-method',
  'x-forwarded-uri',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-for',
  'x-request-id',
  'swarmgate-hops',
  'traceparent',
  'tracestate',
]);

/**
 * Head of the request to the auth service. X-Forwarded-For, -Proto, -Host and -Port are those that the endpoint gets;
 * X-Forwarded-Method and -Uri are always the proxy's own, in place of the client's in every spelling. `undefined` where the
 * head cannot be sent.
 */
export function authRequestHead(exchange: Exchange, settings: AuthSettings): string | undefined {
  const { flat } = exchange.request;
  const headers = new HeaderList(['Host', settings.address.authority]);
  for (let at = 0; at < flat.length; at += 2) {
    const name = flat[at] as string;
    const folded = foldedName(name);
    if (left.has(folded) || folded === 'x-forwarded-method' || folded === 'x-forwarded-uri') continue;
    if (settings.sent !== undefined && !settings.sent.has(folded) && !stated.has(folded)) continue;
    headers.add(name, flat[at + 1] as string);
  }
  headers.add('X-Forwarded-Method', exchange.method);
  headers.add('X-Forwarded-Uri', forwardedTarget(exchange));
  const lines = linesOf(headers);
  const method = authMethod(exchange, settings);
  return lines === undefined ? undefined : `${method} ${settings.target} HTTP/1.1\r\n${lines}\r\n`;
}

export function authMethod(exchange: Exchange, settings: AuthSettings): string {
  return settings.keepsMethod ? exchange.method : 'GET';
}
