import { sessionCookieName } from '../../http/session-cookie.ts';

/** With TLS the prefix binds the cookie to this host, and to TLS (RFC 6265bis, 4.1.3.2). */
const nameOver = (secure: boolean) => (secure ? `__Host-${sessionCookieName}` : sessionCookieName);

/** The value of the session's cookie; `undefined` where none was sent, or two that differ. */
export function sessionOf(cookie: string | undefined, secure: boolean): string | undefined {
  const name = nameOver(secure);
  const values = new Set<string>();
  for (const pair of (cookie ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (equals >= 0 && pair.slice(0, equals).trim() === name) values.add(pair.slice(equals + 1).trim());
  }
  const [value] = values;
  return values.size === 1 ? value : undefined;
}

/** The `Set-Cookie` that begins a session, or with an empty value and 0 ends it. */
export function setSession(value: string, maxAgeMs: number, secure: boolean): string {
  const maxAge = Math.max(0, Math.floor(maxAgeMs / 1_000));
  return `${nameOver(secure)}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
}
