import { sessionCookieName } from '../../http/session-cookie.ts';
import { isSessionValue } from './session-token.ts';

/** With TLS the prefix binds the cookie to this host, and to TLS (RFC 6265bis, 4.1.3.2). */
const nameOver = (secure: boolean) => (secure ? `__Host-${sessionCookieName}` : sessionCookieName);

/** Of one call: each costs a signature to check. */
const mostValues = 50;

/**
 * The different values of the session's cookie, at most 50, in the order sent. There may be others beside the console's: a program
 * at another port or a parent domain can set cookies of any name for this host, and those with the longer path come first.
 */
export function sessionsOf(cookie: string | undefined, secure: boolean): ReadonlySet<string> {
  const name = nameOver(secure);
  const values = new Set<string>();
  for (const pair of (cookie ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
    const value = pair.slice(equals + 1).trim();
    if (isSessionValue(value)) values.add(value);
    if (values.size === mostValues) break;
  }
  return values;
}

/** The `Set-Cookie` that begins a session, or with an empty value and 0 ends it. */
export function setSession(value: string, maxAgeMs: number, secure: boolean): string {
  const maxAge = Math.max(0, Math.floor(maxAgeMs / 1_000));
  return `${nameOver(secure)}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
}
