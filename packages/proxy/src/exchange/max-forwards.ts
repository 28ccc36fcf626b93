import type { LocalResponse } from '../model/local-response.ts';

/** The greatest number that is sent on. */
const most = 2 ** 31;

/** Methods of which `Max-Forwards` counts the proxies (RFC 9110, section 7.6.2). */
export function mayCountForwards(method: string): boolean {
  return method === 'OPTIONS' || method === 'TRACE';
}

/** How many more times a request may be forwarded, up to 2^31. `undefined`: the field is absent, or is no number. */
export function maxForwardsOf(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+$/.test(value) ? Math.min(Number(value), most) : undefined;
}

/**
 * The response to a request that may not be forwarded any more. TRACE is refused: what it would reflect has cookies and
 * credentials in it that a script of the client must not read.
 */
export function lastForwardResponse(method: string): LocalResponse {
  const status = method === 'OPTIONS' ? 200 : 405;
  return { status, reason: 'max-forwards', headers: ['Allow', 'OPTIONS'] };
}
