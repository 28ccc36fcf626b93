import type { Endpoint } from '../model/endpoint.ts';
import type { Exchange } from '../model/exchange.ts';
import type { Middleware } from './middleware.ts';
import { type PrefixChange, pathForClient, prefixChange } from './prefix-change.ts';
import { isRequestedHost, readReference } from './uri-reference.ts';

/**
 * `rewriteResponse`: where the route has rewritten the request's path, `Location`, `Content-Location` and the `Path` of
 * cookies name the endpoint's paths, and are changed to the client's.
 */
export const rewriteResponse: Middleware = {
  name: 'rewriteResponse',
  onResponse(exchange, { headers, endpoint }) {
    const { rewrittenFrom } = exchange;
    if (rewrittenFrom === undefined) return;
    const change = prefixChange(rewrittenFrom, exchange.path);
    headers.change((name, value) => {
      switch (name.toLowerCase()) {
        case 'location':
        case 'content-location':
          return locationForClient(value, change, exchange, endpoint);
        case 'set-cookie':
          return cookieForClient(value, change);
        default:
          return value;
      }
    });
  },
};

function locationForClient(value: string, change: PrefixChange, exchange: Exchange, endpoint: Endpoint): string {
  const reference = readReference(value);
  if (reference === undefined) return value;
  const { origin, authority, path, rest } = reference;
  const mapped = pathForClient(path, change) + rest;
  if (origin === '') return mapped;
  if (isRequestedHost(authority, exchange)) return origin + mapped;
  // An address that clients need not reach: the same host then.
  return isEndpointHost(authority, exchange, endpoint) ? mapped : value;
}

function isEndpointHost(authority: string, { request }: Exchange, { host, port }: Endpoint): boolean {
  return (
    authority === `${host}:${port}` ||
    (authority === host && (port === 80 || port === 443)) ||
    authority === request.get('host')?.toLowerCase()
  );
}

function cookieForClient(cookie: string, change: PrefixChange): string {
  // Browsers take cookies with this prefix at the root alone.
  if (/^\s*__host-/i.test(cookie)) return cookie;
  return cookie.replace(/(;\s*path\s*=\s*)(\/[^;]*?)(?=\s*(;|$))/gi, (_whole, before: string, path: string) => {
    const mapped = pathForClient(path, change);
    // `/api/` would leave out `/api`.
    return before + (path === '/' && mapped.length > 1 ? mapped.replace(/\/$/, '') : mapped);
  });
}
