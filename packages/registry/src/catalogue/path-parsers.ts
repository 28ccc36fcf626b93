import { regularExpressionFault } from '../definition/regular-expression.ts';
import type { PathRewrite, PathType } from '../definition/service-definition.ts';
import type { LabelParser } from './label-entry.ts';
import { not, ok } from './label-parsers.ts';

const pathMatchers = ['path_beg', 'path', 'path_end', 'path_reg', 'path_sub', 'path_dir'] as const;
const sniMatchers = { str: 'sni', beg: 'sni_beg', end: 'sni_end', reg: 'sni_reg' } as const;

/** HAProxy's fetch with its flags: `path_reg -i`; in sni mode `req_ssl_sni -i -m reg`. */
export const pathType: LabelParser<PathType> = (raw) => {
  const [fetch = '', ...flags] = raw.trim().split(/\s+/);
  const ignoreCase = flags.includes('-i');
  const rest = flags.filter((flag) => flag !== '-i');
  const pathMatcher = pathMatchers.find((each) => each === fetch);
  if (pathMatcher !== undefined && rest.length === 0) return ok({ matcher: pathMatcher, ignoreCase });
  if (/^req(_ssl_sni|\.ssl_sni)$/.test(fetch)) {
    const method = rest.length === 0 ? 'str' : rest[0] === '-m' && rest.length === 2 ? rest[1] : undefined;
    const matcher = Object.entries(sniMatchers).find(([name]) => name === method)?.[1];
    if (matcher !== undefined) return ok({ matcher, ignoreCase });
  }
  return {
    ok: false,
    reason: 'label-value-refused',
    expected: `one of ${pathMatchers.join(', ')}, each with -i or not; in sni mode req_ssl_sni with -m str, beg, end or reg`,
    suggestion: 'use path_beg for prefixes or path_reg for everything else',
  };
};

/**
 * `search,replace[:search,replace…]`; a third part is `g` (all), `i` (ignore case) or both. A backslash keeps a comma or
 * colon in its place. `replace` may be empty or absent.
 */
export const pathRewrites: LabelParser<readonly PathRewrite[]> = (raw) => {
  const rewrites: PathRewrite[] = [];
  for (const rule of splitUnescaped(raw, ':')) {
    if (rule.trim() === '') continue;
    const [search = '', replace = '', flags = '', ...tooMany] = splitUnescaped(rule, ',').map(withoutEscapes);
    const trimmedFlags = flags.trim();
    if (search === '' || tooMany.length > 0 || !/^(g|i|gi|ig)?$/.test(trimmedFlags))
      return not('search,replace[,g|i] with : between several');
    const fault = regularExpressionFault(search);
    if (fault !== undefined) return not(fault.replace(/^expected /, ''));
    rewrites.push({
      search,
      replace,
      ...(trimmedFlags.includes('g') ? { all: true } : {}),
      ...(trimmedFlags.includes('i') ? { ignoreCase: true } : {}),
    });
  }
  return rewrites.length === 0 ? not('search,replace[,g|i] with : between several') : ok(rewrites);
};

function splitUnescaped(text: string, separator: ',' | ':'): string[] {
  const parts: string[] = [''];
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '\\') {
      parts[parts.length - 1] += character + text.charAt(at + 1);
      at += 1;
    } else if (character === separator) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

function withoutEscapes(text: string): string {
  return text.replace(/\\([,:])/g, '$1');
}
