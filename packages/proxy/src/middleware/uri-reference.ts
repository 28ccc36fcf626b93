import type { Exchange } from '../model/exchange.ts';

/** A reference to a resource in a header field (RFC 3986, section 4.1), taken apart. */
export interface UriReference {
  /** `https://shop.example`, `//shop.example`, or empty. */
  readonly origin: string;
  /** In lower case; empty where there is none. */
  readonly authority: string;
  readonly path: string;
  /** Query and fragment with their delimiters. */
  readonly rest: string;
}

/** `undefined` for other schemes than http and https, and for paths that are relative to the request's. */
export function readReference(text: string): UriReference | undefined {
  const match = /^((?:https?:)?\/\/([^/?#]*))?([^?#]*)(.*)$/i.exec(text);
  const [, origin = '', authority = '', path = '', rest = ''] = match ?? [];
  if (origin !== '' && authority === '') return undefined;
  if (origin === '' && !path.startsWith('/')) return undefined;
  return { origin, authority: authority.toLowerCase(), path: path === '' ? '/' : path, rest };
}

/** Whether an authority is the one that the client sent its request to. */
export function isRequestedHost(authority: string, { host, request }: Pick<Exchange, 'host' | 'request'>): boolean {
  if (authority === host) return true;
  return authority === request.get('host')?.toLowerCase() && authority.replace(/:\d*$/, '') === host;
}
