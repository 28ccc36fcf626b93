import {
  decodePath,
  type EncodedSlash,
  hasDotSegments,
  type NormalPath,
  type PathError,
  pathForRules,
  resolvePath,
} from './normal-path.ts';

/**
 * Another path that a server may understand by what was sent, in the form that rules are matched against. Readings never
 * choose a route: they only refuse a request whose readings are decided differently.
 */
export interface PathReading {
  readonly path: string;
  /** What `%2F`, `%5C` and `\` are: data, or separators that are decoded before or after dot segments are resolved. */
  readonly encodedSlashes: 'data' | 'decoded-before-dots' | 'decoded-after-dots';
  /** `//`. */
  readonly slashes: 'merged' | 'kept';
  /** `;x` up to the end of a segment. */
  readonly parameters: 'cut' | 'kept';
}

export type ReadPath =
  | {
      readonly ok: true;
      /** Normal form: what rules and middleware see. */
      readonly path: string;
      /** What endpoints receive: the path as sent, with dot segments resolved. */
      readonly sent: string;
      /** Without those that equal the compared form of `path`; at most 7. */
      readonly readings: readonly PathReading[];
    }
  | { readonly ok: false; readonly reason: PathError };

export type RequestPath =
  | (Extract<ReadPath, { readonly ok: true }> & { readonly query: string })
  | { readonly ok: false; readonly reason: PathError };

/** With the lookup of the path itself, 8. A target with more readings is refused as `path-ambiguous`. */
const mostReadings = 7;

/** The path of a request target, without its query: its normal form, what is forwarded, and its readings. */
export function readPath(raw: string, encodedSlash: EncodedSlash): ReadPath {
  const decoded = decodePath(raw, encodedSlash);
  if (!decoded.ok) return decoded;
  const normal = resolvePath(decoded.path);
  if (!normal.ok) return normal;
  const { path } = normal;
  const sent = sentPath(raw, decoded.path);
  if (!isReadDifferently(raw)) return { ok: true, path, sent, readings: none };
  return readingsOf(decoded.path, path, sent);
}

/** An origin-form request target; the query keeps its `?` and is not touched. */
export function readRequestTarget(target: string, encodedSlash: EncodedSlash): RequestPath {
  // Looked for in the whole target: a `#` in the query is as unlawful as one in the path.
  if (target.includes('#')) return { ok: false, reason: 'path-fragment' };
  const mark = target.indexOf('?');
  const read = readPath(mark === -1 ? target : target.slice(0, mark), encodedSlash);
  return read.ok ? { ...read, query: mark === -1 ? '' : target.slice(mark) } : read;
}

/** Segments that stay keep their spelling. */
function sentPath(raw: string, decoded: string): string {
  if (raw === '') return '/';
  if (!hasDotSegments(decoded)) return raw;
  const resolved = resolvePath(decoded, { spelling: raw });
  return resolved.ok ? resolved.path : raw;
}

function isReadDifferently(raw: string): boolean {
  return /\/\/|[;\\]|%2f|%5c/i.test(raw);
}

function readingsOf(decoded: string, path: string, sent: string): ReadPath {
  const found = new Map<string, PathReading>();
  const primary = pathForRules(path);
  let error: PathError | undefined;
  const add = (
    resolved: NormalPath,
    encodedSlashes: PathReading['encodedSlashes'],
    slashes: PathReading['slashes'],
    parameters: PathReading['parameters'],
  ) => {
    if (!resolved.ok) {
      error ??= resolved.reason;
      return;
    }
    const whole = parameters === 'cut' ? withoutParameters(resolved.path) : resolved.path;
    const read = slashes === 'merged' ? whole.replace(/\/{2,}/g, '/') : whole;
    // The strict readings come first, and stay.
    if (read !== primary && !found.has(read)) found.set(read, { path: read, encodedSlashes, slashes, parameters });
  };

  const separated = separators(decoded);
  const before = resolvePath(separated);
  const after: NormalPath = { ok: true, path: separators(path) };
  add(before, 'decoded-before-dots', 'merged', 'cut');
  // Servers that cut parameters before they resolve: `/a/;x/../b` is `/a//../b` to them.
  add(resolvePath(withoutParameters(separated)), 'decoded-before-dots', 'merged', 'cut');
  add(after, 'decoded-after-dots', 'merged', 'cut');

  const asSent = hasDotSegments(decoded) ? path : decoded;
  const unmerged: NormalPath = { ok: true, path: asSent };
  const unmergedBefore = resolvePath(separated, { merged: false });
  const unmergedAfter: NormalPath = { ok: true, path: separators(asSent) };
  for (const slashes of ['kept', 'merged'] as const) {
    for (const parameters of ['cut', 'kept'] as const) {
      if (slashes === 'merged' && parameters === 'cut') continue;
      add(unmerged, 'data', slashes, parameters);
      add(slashes === 'kept' ? unmergedBefore : before, 'decoded-before-dots', slashes, parameters);
      add(unmergedAfter, 'decoded-after-dots', slashes, parameters);
    }
  }
  if (error !== undefined) return { ok: false, reason: error };
  if (found.size > mostReadings) return { ok: false, reason: 'path-ambiguous' };
  return { ok: true, path, sent, readings: found.size === 0 ? none : [...found.values()] };
}

function separators(path: string): string {
  return path.replace(/%2F|%5C/g, '/');
}

function withoutParameters(path: string): string {
  return path.replace(/;[^/]*/g, '');
}

const none: readonly PathReading[] = [];
