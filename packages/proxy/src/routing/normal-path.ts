export type NormalPath =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly reason: PathRefusal };

/** Why a path is answered with 400: what `X-Swarmgate-Reason` says. */
export type PathRefusal =
  | 'path-not-rooted'
  | 'path-fragment'
  | 'path-character'
  | 'path-backslash'
  | 'path-percent'
  | 'path-nul'
  | 'path-encoded-slash'
  | 'path-dot-parameter';

/**
 * Brings the path of a request target (without its query) into the one form that rules are matched against and that
 * endpoints receive. Because both see the same string, no spelling of a path passes a rule that another spelling fails.
 *
 * | in the request | becomes | why |
 * |---|---|---|
 * | nothing before the query | `/` | RFC 9112, 3.2.1 |
 * | not starting with `/` | refused, `path-not-rooted` | absolute-form and `*` are split by the server protocol, before this |
 * | `#` | refused, `path-fragment` | a fragment is never sent; endpoints differ about it |
 * | control characters, space, anything beyond ASCII | refused, `path-character` | not a URI |
 * | `\`, `%5C` | refused, `path-backslash` | some endpoints read it as `/` |
 * | `%` without two hex digits | refused, `path-percent` | endpoints repair it differently |
 * | `%00` | refused, `path-nul` | ends the string for some endpoints |
 * | `%2F` | refused, `path-encoded-slash` | a segment for some endpoints, a separator for others |
 * | `%41`, `%7E`, `%2E`, `%3A`, `%40`: letters, digits, `-._~:@` | the character itself | RFC 3986, 6.2.2.2 |
 * | any other `%3b` | `%3B`, still encoded | RFC 3986, 6.2.2.1 |
 * | `"`, `<`, `>`, `^`, backtick, `{`, `\|`, `}` | percent-encoded | not allowed bare; clients differ |
 * | `//` | `/`, before dot segments | endpoints merge them or not |
 * | `/.`, `/..` | resolved; the root has no parent | RFC 3986, 5.2.4 |
 * | `/..;x`, `/.;x` | refused, `path-dot-parameter` | a dot segment for servlet containers only |
 *
 * Everything else stays as it was sent: letter case, trailing slash, `;`, `=`, `,`, `+`.
 */
export function normalizePath(raw: string): NormalPath {
  if (isNormalPath(raw)) return { ok: true, path: raw };
  if (raw === '') return { ok: true, path: '/' };
  if (raw.charCodeAt(0) !== SLASH) return refused(raw.includes('#') ? 'path-fragment' : 'path-not-rooted');
  const decoded = decodeOnce(raw);
  if (!decoded.ok) return decoded;
  return removeDotSegments(decoded.path);
}

/** Whether `normalizePath` would return this very string. Costs one pass and no allocation. */
export function isNormalPath(path: string): boolean {
  if (path.charCodeAt(0) !== SLASH) return false;
  let previous = 0;
  for (let at = 0; at < path.length; at += 1) {
    const code = path.charCodeAt(at);
    if (code > 126 || PLAIN[code] !== 1) return false;
    // A segment that begins with a dot may be a dot segment: the slow way decides.
    if (previous === SLASH && (code === SLASH || code === DOT)) return false;
    previous = code;
  }
  return true;
}

/**
 * What rules are matched against: a path in normal form without parameters (`;x` up to the end of a segment). Servlet
 * containers cut them off before they choose, so `/;x/admin` and `/admin;x` are `/admin` to them, and have to be to every
 * rule that guards `/admin`. Endpoints still receive the parameters.
 */
export function pathForRules(path: string): string {
  return path.includes(';') ? path.replace(/;[^/]*/g, '').replace(/\/{2,}/g, '/') : path;
}

export type RequestPath =
  | { readonly ok: true; readonly path: string; readonly query: string }
  | { readonly ok: false; readonly reason: PathRefusal };

/** An origin-form request target as path in normal form and query, which keeps its `?` and is not touched. */
export function splitRequestTarget(target: string): RequestPath {
  // Looked for in the whole target: a `#` in the query is as unlawful as one in the path.
  if (target.includes('#')) return refused('path-fragment');
  const mark = target.indexOf('?');
  const normal = normalizePath(mark === -1 ? target : target.slice(0, mark));
  if (!normal.ok) return normal;
  return { ok: true, path: normal.path, query: mark === -1 ? '' : target.slice(mark) };
}

const SLASH = 0x2f;
const DOT = 0x2e;

/** Characters that stand for themselves whatever surrounds them. */
const PLAIN = new Uint8Array(127);
for (const character of "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:@!$&'()*+,;=[]")
  PLAIN[character.charCodeAt(0)] = 1;

const DECODED_WHEN_ENCODED = /^[A-Za-z0-9\-._~:@]$/;
const ENCODED_WHEN_BARE = '"<>^`{|}';

function decodeOnce(raw: string): NormalPath {
  let path = '';
  for (let at = 0; at < raw.length; at += 1) {
    const character = raw[at] as string;
    const code = raw.charCodeAt(at);
    if (character === '%') {
      const hex = raw.slice(at + 1, at + 3);
      if (!/^[0-9A-Fa-f]{2}$/.test(hex)) return refused('path-percent');
      const meant = String.fromCharCode(Number.parseInt(hex, 16));
      if (meant === '\0') return refused('path-nul');
      if (meant === '/') return refused('path-encoded-slash');
      if (meant === '\\') return refused('path-backslash');
      path += DECODED_WHEN_ENCODED.test(meant) ? meant : `%${hex.toUpperCase()}`;
      at += 2;
    } else if (character === '#') return refused('path-fragment');
    else if (character === '\\') return refused('path-backslash');
    else if (code <= 0x20 || code >= 0x7f || character === '?') return refused('path-character');
    else if (ENCODED_WHEN_BARE.includes(character)) path += `%${code.toString(16).toUpperCase()}`;
    else path += character;
  }
  return { ok: true, path };
}

function removeDotSegments(path: string): NormalPath {
  const kept: string[] = [];
  const segments = path.split('/');
  for (const segment of segments) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') kept.pop();
    else if (/^\.\.?(;|%3B)/.test(segment)) return refused('path-dot-parameter');
    else kept.push(segment);
  }
  const last = segments.at(-1);
  const endsInSlash = kept.length > 0 && (last === '' || last === '.' || last === '..');
  return { ok: true, path: `/${kept.join('/')}${endsInSlash ? '/' : ''}` };
}

function refused(reason: PathRefusal): { readonly ok: false; readonly reason: PathRefusal } {
  return { ok: false, reason };
}
