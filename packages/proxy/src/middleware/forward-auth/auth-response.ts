import type { Exchange } from '../../model/exchange.ts';
import { forwardedTarget } from '../../model/exchange.ts';
import { foldedName, type HeaderList } from '../../model/header-list.ts';
import type { LocalResponse } from '../../model/local-response.ts';
import type { WholeResponse } from '../calls/service-call.ts';
import type { AuthSettings } from './auth-settings.ts';

/** Fields of the auth service's connection, and those that the proxy writes itself. */
const hop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'date',
  'x-swarmgate-reason',
]);

/**
 * Gives the endpoint what the auth service found out. The client's own headers of these names go first, in every spelling
 * and whether or not the auth service sends one: they would be taken for its result.
 */
export function copyHeaders(exchange: Exchange, { headers }: WholeResponse, settings: AuthSettings): void {
  const { request } = exchange;
  removeCopied(request, settings);
  const copied = new Set(settings.copied.map((name) => name.toLowerCase()));
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    const lower = name.toLowerCase();
    if (hop.has(lower)) continue;
    if (copied.has(lower) || settings.isCopied?.(name) === true) request.add(name, headers[at + 1] as string);
  }
}

function removeCopied(request: HeaderList, { copied, isCopied }: AuthSettings): void {
  for (const name of copied) request.deleteInEverySpelling(name);
  if (isCopied === undefined) return;
  request.change((name, value) => (isCopied(name) || isCopied(foldedName(name)) ? undefined : value));
}

/** `Set-Cookie` values of a 2xx that go to the client. */
export function passedCookies({ headers }: WholeResponse, { passesCookie }: AuthSettings): readonly string[] {
  if (passesCookie === undefined) return [];
  return valuesOf(headers, 'set-cookie').filter((cookie) => passesCookie(cookieName(cookie)));
}

/** Cookies of the auth service take the place of the endpoint's of the same name. */
export function addCookies(response: HeaderList, cookies: readonly string[]): void {
  const names = new Set(cookies.map(cookieName));
  response.change((name, value) =>
    name.toLowerCase() === 'set-cookie' && names.has(cookieName(value)) ? undefined : value,
  );
  for (const cookie of cookies) response.add('Set-Cookie', cookie);
}

function cookieName(cookie: string): string {
  return cookie.slice(0, Math.max(0, cookie.search(/[=;]|$/))).trim();
}

/** A response that denies, as the client gets it: status, headers and body of the auth service. */
export function denial(exchange: Exchange, response: WholeResponse, settings: AuthSettings): LocalResponse {
  const redirect = response.status === 401 ? signInRedirect(exchange, response, settings) : undefined;
  if (redirect !== undefined) return redirect;
  const { headers } = response;
  const named = new Set(
    valuesOf(headers, 'connection').flatMap((value) => value.split(',').map((each) => each.trim().toLowerCase())),
  );
  const kept: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    const lower = name.toLowerCase();
    if (hop.has(lower) || named.has(lower)) continue;
    const value = headers[at + 1] as string;
    kept.push(name, lower === 'location' ? locationFor(value, settings) : value);
  }
  return { status: response.status, reason: 'auth-denied', headers: kept, bytes: response.body };
}

/** A relative reference is one to the auth service (RFC 9110, section 10.2.2). */
function locationFor(value: string, { address, target, keepsLocation }: AuthSettings): string {
  if (keepsLocation) return value;
  try {
    return new URL(value, `${address.origin}${target}`).href;
  } catch {
    return value;
  }
}

/** Where a browser that navigates is sent to log in; scripts, APIs and upgrades get the 401 itself. */
function signInRedirect(
  exchange: Exchange,
  { headers }: WholeResponse,
  { signIn }: AuthSettings,
): LocalResponse | undefined {
  if (signIn === undefined || !isNavigation(exchange)) return undefined;
  const requested = signIn.startsWith('/') ? forwardedTarget(exchange) : requestedUrl(exchange);
  const location = signIn.replaceAll('{url}', encodeURIComponent(requested));
  const cookies = valuesOf(headers, 'set-cookie').flatMap((cookie) => ['Set-Cookie', cookie]);
  return {
    status: 302,
    reason: 'auth-sign-in',
    headers: ['Location', location, 'Cache-Control', 'no-store', ...cookies],
    body: '',
  };
}

function isNavigation({ method, request, upgrade }: Exchange): boolean {
  if ((method !== 'GET' && method !== 'HEAD') || upgrade !== undefined) return false;
  if (request.get('x-requested-with')?.toLowerCase() === 'xmlhttprequest') return false;
  const mode = request.get('sec-fetch-mode');
  if (mode !== undefined && mode !== 'navigate') return false;
  return /(^|,)\s*text\/html\s*(;|,|$)/i.test(request.all('accept').join(','));
}

function requestedUrl(exchange: Exchange): string {
  const scheme = exchange.request.get('x-forwarded-proto') ?? exchange.client.scheme;
  const host = exchange.request.get('x-forwarded-host') ?? exchange.host;
  return `${scheme}://${host}${forwardedTarget(exchange)}`;
}

function valuesOf(flat: readonly string[], name: string): readonly string[] {
  const values: string[] = [];
  for (let at = 0; at < flat.length; at += 2) if (flat[at]?.toLowerCase() === name) values.push(flat[at + 1] as string);
  return values;
}
