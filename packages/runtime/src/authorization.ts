import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';

/** The parts of a call that decide whether it may change something. */
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
 * loopback that no web page can make: a page could name this machine by a host of its own (DNS rebinding) or post a form
 * to it, so the Host must be a loopback name and nothing may speak of another origin or of a hop in between.
 */
export function authorizeChange(token: string | undefined, caller: Caller): Authorization {
  if (token === openToAll) return { kind: 'allowed' };
  if (token !== undefined) {
    if (isBearer(caller.headers.authorization, token)) return { kind: 'allowed' };
    return {
      kind: 'token-needed',
      message: 'this call changes something and needs `Authorization: Bearer <ADMIN_TOKEN>`',
    };
  }
  const objection = objectionToLoopback(caller);
  if (objection === undefined) return { kind: 'allowed' };
  return {
    kind: 'loopback-only',
    message: `no ADMIN_TOKEN is set, so only this machine itself may change something: ${objection}. ${howToSetOne}`,
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

const relaying = new Set(['forwarded', 'via', 'x-real-ip']);

function objectionToLoopback({ remoteAddress, headers }: Caller): string | undefined {
  if (!isLoopback(remoteAddress)) return `the call came from ${remoteAddress ?? 'an unknown address'}`;
  if (!/^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i.test(headers.host ?? ''))
    return 'its Host is not localhost, 127.0.0.1 or [::1]';
  if (headers.origin !== undefined) return 'it has an Origin: a web page sent it';
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'none') return 'its Sec-Fetch-Site is not none: a web page sent it';
  // Browsers without Sec-Fetch-Site send this from a page.
  if (headers.referer !== undefined) return 'it has a Referer: a web page sent it';
  // `Forwarded` (RFC 7239) and `Via` mean the same as X-Forwarded-*: the caller relays calls of others.
  const relayed = Object.keys(headers).find((name) => name.startsWith('x-forwarded-') || relaying.has(name));
  return relayed === undefined ? undefined : `it has ${relayed}: it was relayed`;
}

function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d)/, '');
  return plain === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(plain);
}

/** Compares digests, so that neither the length nor the content shows in the time it takes. */
function isBearer(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +([^\s].*)$/i.exec(authorization ?? '')?.[1]?.trimEnd();
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
