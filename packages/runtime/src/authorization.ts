import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { plainAddress } from './networks.ts';

/** The parts of a call that decide whether it may read or change something. */
export interface Caller {
  readonly remoteAddress: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

export type Authorization =
  | { readonly kind: 'allowed' }
  /** 401: a token is configured and the call lacks it. */
  | { readonly kind: 'token-needed'; readonly message: string }
  /** 403: no token is configured, so only this machine itself may change something. */
  | { readonly kind: 'loopback-only'; readonly message: string };

/** The value of `ADMIN_TOKEN` that allows changes without a token. */
export const openToAll = 'none';

const howToSetOne =
  'Set ADMIN_TOKEN (or the secret dfp_admin_token) on every proxy and send it as `Authorization: Bearer <token>`; ' +
  'ADMIN_TOKEN=none lets everyone change routes';

/**
 * Whether a call may change something. A configured token is needed from everywhere; without one, only calls from
 * loopback that no web page but the console's can make: a page could name this machine by a host of its own (DNS
 * rebinding) or post a form to it, so the Host must be a loopback name and nothing may speak of another origin or of a hop
 * in between.
 */
export function authorizeChange(token: string | undefined, caller: Caller): Authorization {
  if (token === openToAll) return { kind: 'allowed' };
  if (token !== undefined) {
    if (isBearer(caller.headers.authorization, token)) return { kind: 'allowed' };
    return {
      kind: 'token-needed',
      message: 'this call needs `Authorization: Bearer <ADMIN_TOKEN>`',
    };
  }
  const objection = objectionToLoopback(caller);
  if (objection === undefined) return { kind: 'allowed' };
  return {
    kind: 'loopback-only',
    message: `no ADMIN_TOKEN is set, so this call is taken from this machine itself only: ${objection}. ${howToSetOne}`,
  };
}

/** Who may read: the settings `ADMIN_TOKEN`, `ADMIN_READ` and `METRICS_TOKEN`. */
export interface ReadPolicy {
  readonly adminToken: string | undefined;
  /** Not set: `token` where a token is set, else loopback only. */
  readonly adminRead: 'open' | 'token' | undefined;
  readonly metricsToken: string | undefined;
}

/**
 * Whether a call may read something. `metrics` is what `METRICS_TOKEN` opens, too. What shows clients, paths or whole
 * definitions is not read by this rule but by `authorizeChange`, which `ADMIN_READ=open` does not open.
 */
export function authorizeRead(policy: ReadPolicy, what: 'metrics' | 'other', caller: Caller): Authorization {
  const { adminToken, adminRead, metricsToken } = policy;
  const given = caller.headers.authorization;
  if (adminToken === openToAll || adminRead === 'open') return { kind: 'allowed' };
  if (adminToken !== undefined && isBearer(given, adminToken)) return { kind: 'allowed' };
  if (what === 'metrics' && metricsToken !== undefined && isBearer(given, metricsToken)) return { kind: 'allowed' };
  if (adminToken !== undefined || adminRead === 'token')
    return {
      kind: 'token-needed',
      message: `this call needs \`Authorization: Bearer <${what === 'metrics' ? 'METRICS_TOKEN or ADMIN_TOKEN' : 'ADMIN_TOKEN'}>\``,
    };
  const objection = objectionToAddress(caller) ?? objectionToRelay(caller);
  if (objection === undefined) return { kind: 'allowed' };
  return {
    kind: 'loopback-only',
    message: `no ADMIN_TOKEN is set, so only this machine itself may read: ${objection}. ${howToSetOne}, ADMIN_READ=open lets everyone read`,
  };
}

/**
 * Whether the Host of a call from loopback names this machine: `localhost`, an address, or its own host name. Calls from
 * elsewhere name it as their network does, and are all taken.
 */
export function isOwnName({ remoteAddress, headers }: Caller, ownName: string = hostname()): boolean {
  if (!isLoopback(remoteAddress)) return true;
  const name = (headers.host ?? '').replace(/:\d{1,5}$/, '').toLowerCase();
  return (
    isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0 ||
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === ownName.toLowerCase()
  );
}

const relaying = new Set(['forwarded', 'via', 'x-real-ip', 'swarmgate-hops']);

function objectionToLoopback(caller: Caller): string | undefined {
  const { headers } = caller;
  const ofAddress = objectionToAddress(caller);
  if (ofAddress !== undefined) return ofAddress;
  if (!/^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i.test(headers.host ?? ''))
    return 'its Host is not localhost, 127.0.0.1 or [::1]';
  // A page of this very port is the console's. Host is a loopback name here, which no page elsewhere can have as its own.
  const isOwn = (url: string | undefined) => url !== undefined && URL.parse(url)?.host === headers.host?.toLowerCase();
  if (headers.origin !== undefined && !isOwn(headers.origin))
    return 'it has an Origin: a web page of another port sent it';
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'none' && site !== 'same-origin')
    return 'its Sec-Fetch-Site is neither none nor same-origin: a web page sent it';
  // Browsers without Sec-Fetch-Site send this from a page.
  if (headers.referer !== undefined && !isOwn(headers.referer))
    return 'it has a Referer: a web page of another port sent it';
  return objectionToRelay(caller);
}

function objectionToAddress({ remoteAddress }: Caller): string | undefined {
  return isLoopback(remoteAddress) ? undefined : `the call came from ${remoteAddress ?? 'an unknown address'}`;
}

function objectionToRelay({ headers }: Caller): string | undefined {
  // `Forwarded` (RFC 7239), `Via` and `Swarmgate-Hops` mean the same as X-Forwarded-*: the caller relays calls of others.
  const relayed = Object.keys(headers).find((name) => name.startsWith('x-forwarded-') || relaying.has(name));
  return relayed === undefined ? undefined : `it has ${relayed}: it was relayed`;
}

function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  const plain = plainAddress(address.toLowerCase());
  return plain === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(plain);
}

function isBearer(authorization: string | undefined, token: string): boolean {
  const given = bearerOf(authorization);
  return given !== undefined && isSame(given, token);
}

/**
 * Whether `Authorization` carries the token as bearer, or as the password of basic authentication (RFC 7617) with any user
 * name, as a browser sends it.
 */
export function carriesToken(authorization: string | undefined, token: string): boolean {
  const given = bearerOf(authorization) ?? passwordOf(authorization);
  return given !== undefined && isSame(given, token);
}

function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +([^\s].*)$/i.exec(authorization ?? '')?.[1]?.trimEnd();
}

function passwordOf(authorization: string | undefined): string | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization?.trimEnd() ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const credentials = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = credentials.indexOf(':');
  return colon === -1 ? undefined : credentials.slice(colon + 1);
}

/** Compares digests, so that neither the length nor the content shows in the time it takes. */
function isSame(given: string, token: string): boolean {
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
