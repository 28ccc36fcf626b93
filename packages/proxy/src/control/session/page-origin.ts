import type { IncomingHttpHeaders } from 'node:http';

/** The headers of a call that identify the page, if any, that made it. */
export interface PageCall {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Whether it came by TLS. */
  readonly secure: boolean;
}

/**
 * Why a call counts as made by a page of another origin; `undefined` if no header shows it. A browser adds the credentials
 * that it remembers for this port to calls of every page, so the calls of such a page must be refused before the credentials count.
 *
 * Browsers send `Sec-Fetch-Site` to https and loopback (W3C Fetch Metadata), `Origin` with everything but plain GET and
 * HEAD (RFC 6454, Fetch), and older ones at least `Referer`. Programs send none of them.
 */
export function foreignPage(call: PageCall): string | undefined {
  const { origin, referer, 'sec-fetch-site': site } = call.headers;
  // A link elsewhere may open the UI as a document of its own: that reads nothing, and the page that links sees nothing.
  if (origin === undefined && opensUi(call)) return undefined;
  if (origin !== undefined && !isOwnOrigin(origin, call)) return 'its Origin is not that of this port';
  if (site !== undefined)
    return site === 'same-origin' || site === 'none' ? undefined : 'its Sec-Fetch-Site is not same-origin';
  if (origin === undefined && referer !== undefined && !isOwnOrigin(originOf(referer), call))
    return 'its Referer is a page of another origin';
  return undefined;
}

/** A GET that replaces the whole window. Browsers without these headers are allowed: UI pages hold no data. */
function opensUi({ method, path, headers }: PageCall): boolean {
  if (method !== 'GET' || !(path === '/' || path === '/ui' || path.startsWith('/ui/'))) return false;
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': dest } = headers;
  return (mode === undefined && dest === undefined) || (mode === 'navigate' && dest === 'document');
}

/** Compares with Host, which a page cannot choose: a name of its own that leads here has no credentials in any browser. */
function isOwnOrigin(origin: string | undefined, { headers: { host }, secure }: PageCall): boolean {
  if (origin === undefined || host === undefined) return false;
  // Without TLS here, a load balancer before this port may have ended it.
  const schemes = secure ? ['https'] : ['http', 'https'];
  return schemes.some((scheme) => {
    const own = originOf(`${scheme}://${host}`);
    return own !== undefined && own === originOf(origin);
  });
}

/** Normalised: letter case, default port. `undefined` for `null` and everything that is no http(s) URL. */
function originOf(url: string): string | undefined {
  const parsed = URL.parse(url);
  return parsed !== null && ['http:', 'https:'].includes(parsed.protocol) ? parsed.origin : undefined;
}
