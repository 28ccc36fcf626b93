export type NormalPath =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly reason: PathError };

/** Why a path gets a 400: the value of `X-Swarmgate-Reason`. */
export const pathErrors = [
  'path-not-rooted',
  'path-fragment',
  'path-character',
  'path-backslash',
  'path-percent',
  'path-nul',
  'path-encoded-slash',
  'path-dot-parameter',
  'path-ambiguous',
] as const;

export type PathError = (typeof pathErrors)[number];

/** `ENCODED_SLASH`: whether paths may hold `%2F`, `%5C` and `\`. */
export type EncodedSlash = 'keep' | 'refuse';

/**
 * Brings the path of a request target (without its query) into the one form that rules are matched against. Endpoints
 * receive the path as it was sent (`readPath`); where servers read that differently, `PathReading`s restrict it.
 *
 * | in the request | becomes | why |
 * |---|---|---|
 * | nothing before the query | `/` | RFC 9112, 3.2.1 |
 * | not starting with `/` | refused, `path-not-rooted` | absolute-form and `*` are split by the server protocol, before this |
 * | `#` | refused, `path-fragment` | a fragment is never sent; endpoints differ about it |
 * | control characters, space, anything beyond ASCII | refused, `path-character` | not a URI |
 * | `\`, `%5c` | `%5C`; with `refuse`: refused, `path-backslash` | a separator for some endpoints: a reading |
 * | `%` without two hex digits | refused, `path-percent` | endpoints repair it differently |
 * | `%00` | refused, `path-nul` | ends the string for some endpoints |
 * | `%2f` | `%2F`; with `refuse`: refused, `path-encoded-slash` | a separator for some endpoints: a reading |
 * | `%41`, `%7E`, `%2E`, `%3A`, `%40`: letters, digits, `-._~:@` | the character itself | RFC 3986, 6.2.2.2 |
 * | any other `%3b` | `%3B`, still encoded | RFC 3986, 6.2.2.1 |
 * | `"`, `<`, `>`, `^`, backtick, `{`, `\|`, `}` | percent-encoded | not allowed bare; clients differ |
 * | `//` | `/`, before dot segments | endpoints merge them or not |
 * | `/.`, `/..` | resolved; the root has no parent | RFC 3986, 5.2.4 |
 * | `/..;x`, `/.;x` | refused, `path-dot-parameter` | a dot segment for servlet containers only |
 *
 * Everything else stays as it was sent: letter case, trailing slash, `;`, `=`, `,`, `+`.
 */
export function normalizePath(raw: string, encodedSlash: EncodedSlash = 'keep'): NormalPath {
  if (isNormalPath(raw)) return { ok: true, path: raw };
  const decoded = decodePath(raw, encodedSlash);
  return decoded.ok ? resolvePath(decoded.path) : decoded;
}

/** The path with its characters in normal form; slashes and dot segments as sent. */
export function decodePath(raw: string, encodedSlash: EncodedSlash = 'keep'): NormalPath {
  if (raw === '') return { ok: true, path: '/' };
  if (raw.charCodeAt(0) !== SLASH) return refused(raw.includes('#') ? 'path-fragment' : 'path-not-rooted');
  return decodeOnce(raw, encodedSlash);
}

/** Whether `normalizePath` would return this very string. Costs one pass and no allocation. */
export function isNormalPath(path: string): boolean {
  return consistsOf(NORMAL, path);
}

/** Whether a path is in normal form and has one reading, so that nothing of it has to be read. */
export function isPlainPath(path: string): boolean {
  return consistsOf(PLAIN, path);
}

function consistsOf(characters: Uint8Array, path: string): boolean {
  if (path.charCodeAt(0) !== SLASH) return false;
  let previous = 0;
  for (let at = 0; at < path.length; at += 1) {
    const code = path.charCodeAt(at);
    if (code > 126 || characters[code] !== 1) return false;
    // A segment that begins with a dot may be a dot segment: the slow way decides.
    if (previous === SLASH && (code === SLASH || code === DOT)) return false;
    previous = code;
  }
  return true;
}

/**
 * What rules are matched against: a path in normal form without parameters (`;x` up to the end of a segment). Servlet
 * containers cut them off before they choose, so `/;x/admin` and `/admin;x` are `/admin` to them, and have to be to every
 * rule that guards `/admin`. Endpoints still receive the parameters, which is a reading of its own.
 */
export function pathForRules(path: string): string {
  return path.includes(';') ? path.replace(/;[^/]*/g, '').replace(/\/{2,}/g, '/') : path;
}

const SLASH = 0x2f;
const DOT = 0x2e;

/** Characters that stand for themselves whatever surrounds them. */
const NORMAL = new Uint8Array(127);
for (const character of "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:@!$&'()*+,;=[]")
  NORMAL[character.charCodeAt(0)] = 1;
/** Without those that have a further reading: `%`, `//` and backslashes are in no normal form. */
const PLAIN = NORMAL.slice();
PLAIN[0x3b] = 0;

const DECODED_WHEN_ENCODED = /^[A-Za-z0-9\-._~:@]$/;
const ENCODED_WHEN_BARE = '"<>\\^`{|}';

function decodeOnce(raw: string, encodedSlash: EncodedSlash): NormalPath {
  const refuses = encodedSlash === 'refuse';
  let path = '';
  for (let at = 0; at < raw.length; at += 1) {
    const character = raw[at] as string;
    const code = raw.charCodeAt(at);
    if (character === '%') {
      const hex = raw.slice(at + 1, at + 3);
      if (!/^[0-9A-Fa-f]{2}$/.test(hex)) return refused('path-percent');
      const meant = String.fromCharCode(Number.parseInt(hex, 16));
      if (meant === '\0') return refused('path-nul');
      if (refuses && meant === '/') return refused('path-encoded-slash');
      if (refuses && meant === '\\') return refused('path-backslash');
      path += DECODED_WHEN_ENCODED.test(meant) ? meant : `%${hex.toUpperCase()}`;
      at += 2;
    } else if (character === '#') return refused('path-fragment');
    else if (refuses && character === '\\') return refused('path-backslash');
    else if (code <= 0x20 || code >= 0x7f || character === '?') return refused('path-character');
    else if (ENCODED_WHEN_BARE.includes(character)) path += `%${code.toString(16).toUpperCase()}`;
    else path += character;
  }
  return { ok: true, path };
}

/** How `resolvePath` treats `//`, and which text it keeps of a segment. */
export interface ResolveOptions {
  /** Default `true`: `//` is `/`, before dot segments. */
  readonly merged?: boolean;
  /** The same path with segments in another spelling, which the result is made of. */
  readonly spelling?: string;
}

/** Resolves dot segments (RFC 3986, section 5.2.4) of a decoded path. */
export function resolvePath(path: string, { merged = true, spelling = path }: ResolveOptions = {}): NormalPath {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  const spelled = spelling.split('/').slice(1);
  for (const [at, segment] of segments.entries()) {
    if (segment === '.' || (merged && segment === '')) continue;
    if (segment === '..') kept.pop();
    else if (/^\.\.?(;|%3B)/.test(segment)) return refused('path-dot-parameter');
    else kept.push(spelled[at] as string);
  }
  const last = segments.at(-1);
  const endsInSlash = kept.length > 0 && (last === '.' || last === '..' || (merged && last === ''));
  return { ok: true, path: `/${kept.join('/')}${endsInSlash ? '/' : ''}` };
}

/** Whether a decoded path has segments that `resolvePath` takes out. */
export function hasDotSegments(path: string): boolean {
  return /\/\.{1,2}(\/|$)/.test(path);
}

function refused(reason: PathError): { readonly ok: false; readonly reason: PathError } {
  return { ok: false, reason };
}
