import { pathPatternText } from '@swarmgate/labels';
import type { PathType } from '@swarmgate/registry';
import type { RE2JS } from 're2js';
import { checkedExpression, compileExpression } from './expressions.ts';

/** How a `servicePath` matches a normalized path. With `folded`, `text` is lower case and compared with a lower-case path. */
export interface PathPattern {
  readonly kind: 'exact' | 'prefix' | 'raw-prefix' | 'end' | 'dir' | 'sub' | 'regex';
  readonly text: string;
  readonly folded: boolean;
  /** Set for `regex`: linear in the path's length, whatever the expression (RE2). */
  readonly expression?: RE2JS;
  /** Set for a `regex` that begins with `^` and plain characters: a cheap test before the expression runs. */
  readonly literalPrefix?: string;
}

export type ParsedPath =
  | { readonly ok: true; readonly pattern: PathPattern }
  | { readonly ok: false; readonly message: string; readonly suggestion: string };

export const defaultPathType: PathType = { matcher: 'path_beg', ignoreCase: false };

export const everyPath: PathPattern = { kind: 'prefix', text: '/', folded: false };

/**
 * @param wholeSegments whether `path_beg` ends at a segment (`strict`) or anywhere in a word (`legacy`)
 */
export function parsePathPattern(raw: string, type: PathType, wholeSegments: boolean): ParsedPath {
  const compared = type.matcher === 'path_reg' ? checkedExpression(raw, type) : pathPatternText(raw, type);
  if (!compared.ok) {
    return {
      ok: false,
      message: `${raw.slice(0, 100)} matches no path: expected ${compared.expected}`,
      suggestion: compared.suggestion,
    };
  }
  const folded = type.ignoreCase;
  const text = folded ? compared.text.toLowerCase() : compared.text;
  switch (type.matcher) {
    case 'path':
      return { ok: true, pattern: { kind: 'exact', text, folded } };
    case 'path_end':
      return { ok: true, pattern: { kind: 'end', text, folded } };
    case 'path_sub':
      return { ok: true, pattern: { kind: 'sub', text, folded } };
    case 'path_dir':
      return { ok: true, pattern: { kind: 'dir', text, folded } };
    case 'path_reg':
      return parseExpression(raw, folded);
    default: {
      const kind = wholeSegments ? 'prefix' : 'raw-prefix';
      // One for all: many services take every path of their hosts.
      if (kind === 'prefix' && text === '/' && !folded) return { ok: true, pattern: everyPath };
      return { ok: true, pattern: { kind, text, folded } };
    }
  }
}

export function pathMatches(pattern: PathPattern, path: string): boolean {
  const met = pattern.folded && pattern.kind !== 'regex' ? path.toLowerCase() : path;
  const text = pattern.text;
  switch (pattern.kind) {
    case 'exact':
      return met === text;
    case 'prefix':
      return met.startsWith(text) && endsAtSegment(text, met);
    case 'raw-prefix':
      return met.startsWith(text);
    case 'end':
      return met.endsWith(text);
    case 'sub':
      return met.includes(text);
    case 'dir':
      return `${met}/`.includes(`/${text}/`);
    case 'regex':
      if (pattern.literalPrefix !== undefined && !met.startsWith(pattern.literalPrefix)) return false;
      return pattern.expression?.test(met) === true;
  }
}

export function isSamePath(one: PathPattern, other: PathPattern): boolean {
  return one.text === other.text && one.kind === other.kind && one.folded === other.folded;
}

/** As written in the label. */
export function showPath(pattern: PathPattern): string {
  const fold = pattern.folded ? ' -i' : '';
  switch (pattern.kind) {
    case 'prefix':
    case 'raw-prefix':
      return `${pattern.text}${fold}`;
    case 'exact':
      return `path${fold} ${pattern.text}`;
    case 'regex':
      return `path_reg${fold} ${pattern.text}`;
    default:
      return `path_${pattern.kind}${fold} ${pattern.text}`;
  }
}

const SLASH = 0x2f;

function endsAtSegment(prefix: string, path: string): boolean {
  // By code, not `endsWith`: this runs for every request.
  return (
    path.length === prefix.length ||
    prefix.charCodeAt(prefix.length - 1) === SLASH ||
    path.charCodeAt(prefix.length) === SLASH
  );
}

/** @param raw as `pathPatternText` takes it: short enough, small when compiled, valid for RE2 */
function parseExpression(raw: string, folded: boolean): ParsedPath {
  const expression = compileExpression(raw, folded);
  const literalPrefix = folded ? undefined : literalPrefixOf(raw);
  const pattern: PathPattern = { kind: 'regex', text: raw, folded, expression };
  return { ok: true, pattern: literalPrefix === undefined ? pattern : { ...pattern, literalPrefix } };
}

/**
 * `^/api/v1/` of `^/api/v1/[0-9]+`. The last character is given up, because a quantifier may follow it; with an
 * alternative anywhere nothing is certain.
 */
function literalPrefixOf(expression: string): string | undefined {
  if (expression.includes('|')) return undefined;
  const literal = /^\^([A-Za-z0-9/_-]+)/.exec(expression)?.[1];
  return literal === undefined || literal.length < 2 ? undefined : literal.slice(0, -1);
}
