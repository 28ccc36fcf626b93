/**
 * Name of the cookie that holds a session of the console, with `__Host-` before it over TLS. Browsers send cookies to every
 * port of a host (RFC 6265, section 8.5), so requests to services may carry it: no service may see it, or set it.
 */
export const sessionCookieName = 'swarmgate_session';

const sessionCookie = new RegExp(`^\\s*(?:__Host-)?${sessionCookieName}\\s*(?:=|$)`);

/** A Cookie without the session, everything else as it was sent; empty where nothing is left. */
export function withoutSession(cookie: string): string {
  if (!cookie.includes(sessionCookieName)) return cookie;
  return cookie
    .split(';')
    .filter((pair) => !sessionCookie.test(pair))
    .join(';')
    .trim();
}

/** Whether a Set-Cookie would put another value in the session's place. */
export function setsSession(setCookie: string): boolean {
  const pair = setCookie.split(';', 1)[0]?.trimStart() ?? '';
  // `=swarmgate_session=x` has no name, and browsers send it back as its value alone (RFC 6265bis, section 5.8.3).
  return sessionCookie.test(pair.startsWith('=') ? pair.slice(1) : pair);
}

/** Whether a field is a Set-Cookie that would put another value in the session's place. */
export function isSessionField(name: string, value: string): boolean {
  return name.length === setCookieLength && setsSession(value) && name.toLowerCase() === 'set-cookie';
}

const setCookieLength = 'set-cookie'.length;
