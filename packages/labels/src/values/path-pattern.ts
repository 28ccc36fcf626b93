import { comparedEscape, mustBeEncoded, percentEncoded, whyImpossible } from './compared-characters.ts';
import { expressionFault } from './expression-literals.ts';
import type { PathType } from './path-type.ts';
import { regularExpressionFault } from './regular-expression.ts';

/**
 * A pattern for paths, as it is compared; or why no path can match it. Paths are compared in one form: percent-encoded
 * where a URI needs it, hexadecimal digits in upper case, letters, digits and `-._~:@` bare, `//` merged, dot segments
 * resolved, without parameters (`;x`). So `/Grüße` becomes `/Gr%C3%BC%C3%9Fe`, `%c3` becomes `%C3`, `{x}` becomes `%7Bx%7D`.
 */
export type PathPatternText =
  | { readonly ok: true; readonly text: string }
  /** `expected` completes "`label` is `value`: expected …". */
  | { readonly ok: false; readonly expected: string; readonly suggestion: string };

export function pathPatternText(raw: string, { matcher, ignoreCase }: PathType): PathPatternText {
  if (matcher === 'path_reg') return expressionText(raw, ignoreCase);
  const encoded = inComparedForm(raw);
  if (!encoded.ok) return encoded;
  const text = encoded.text;
  switch (matcher) {
    case 'path':
    case 'path_beg':
      return wholePath(text);
    case 'path_dir':
      return partOfPath(text.replace(/^\/+|\/+$/g, ''), matcher);
    case 'path_end':
    case 'path_sub':
      return partOfPath(text, matcher);
    default:
      return not(`a path, but ${matcher} compares server names`, 'use path_beg, or reqMode sni');
  }
}

function expressionText(raw: string, ignoreCase: boolean): PathPatternText {
  const fault = regularExpressionFault(raw);
  if (fault !== undefined)
    return not(fault.replace(/^expected /, ''), 'write it without look-around and back-references');
  const literal = expressionFault(raw, ignoreCase);
  return literal === undefined ? { ok: true, text: raw } : not(literal.expected, literal.suggestion);
}

function wholePath(text: string): PathPatternText {
  if (!text.startsWith('/')) return not('a path that begins with a slash', `write /${text}`);
  const kept: string[] = [];
  const segments = text.split('/');
  for (const segment of segments) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') kept.pop();
    else kept.push(segment);
  }
  const endsInSlash = kept.length > 0 && ['', '.', '..'].includes(segments.at(-1) ?? '');
  return { ok: true, text: `/${kept.join('/')}${endsInSlash ? '/' : ''}` };
}

function partOfPath(text: string, matcher: 'path_dir' | 'path_end' | 'path_sub'): PathPatternText {
  if (text === '') return not('a part of a path', `write what ${matcher} compares`);
  if (text.includes('//')) return not('one slash at a time: paths are compared with // merged', 'write one slash');
  const segments = text.split('/');
  // At its ends a substring may hold a piece of a segment: `/.` of `/.git`. An ending ends where the path does.
  const whole = matcher === 'path_dir' ? segments : segments.slice(1, matcher === 'path_sub' ? -1 : undefined);
  if (whole.some((segment) => segment === '.' || segment === '..'))
    return not('no dot segments: paths are compared with them resolved', 'write the path they lead to');
  return { ok: true, text };
}

/** Character by character; what no compared path can hold is refused. */
function inComparedForm(raw: string): PathPatternText {
  let text = '';
  for (let at = 0; at < raw.length; ) {
    const character = String.fromCodePoint(raw.codePointAt(at) ?? 0);
    if (character === '%') {
      const hex = raw.slice(at + 1, at + 3);
      if (!/^[0-9A-Fa-f]{2}$/.test(hex)) return not('two hexadecimal digits after %', 'write a percent sign as %25');
      if (hex === '00') return not('no %00: such requests get 400', 'leave it out');
      text += comparedEscape(hex);
      at += 3;
      continue;
    }
    const impossible = whyImpossible(character);
    if (impossible !== undefined) return not(impossible.expected, impossible.suggestion);
    text += mustBeEncoded(character) ? percentEncoded(character) : character;
    at += character.length;
  }
  return { ok: true, text };
}

function not(expected: string, suggestion: string): PathPatternText {
  return { ok: false, expected, suggestion };
}
