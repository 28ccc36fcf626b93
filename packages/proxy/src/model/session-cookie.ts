/**
 * Name of the cookie that holds a session of the console, with `__Host-` before it over TLS. Browsers send cookies to every
 * port of a host, so requests to services may carry it: it is taken out of them.
 */
export const sessionCookieName = 'swarmgate_session';
