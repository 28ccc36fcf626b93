import { createHash } from 'node:crypto';
import type { Endpoint } from '../../model/endpoint.ts';

const known = new WeakMap<Endpoint, string>();

/**
 * The value of a sticky cookie: identifies an endpoint without revealing its address. The same on every
 * replica, so that any of them keeps a session where it is.
 */
export function stickyToken(endpoint: Endpoint): string {
  let token = known.get(endpoint);
  if (token === undefined) {
    token = createHash('sha256').update(endpoint.id).digest('base64url').slice(0, 16);
    known.set(endpoint, token);
  }
  return token;
}
