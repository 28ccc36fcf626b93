import { regularExpressionFault } from './regular-expression.ts';
import { not, ok, type ParsedLabel, type Value } from './value.ts';

/** The first match only, unless `all`. Rewrites apply in sequence to the path; the query is not changed. */
export interface PathRewrite {
  readonly search: string;
  readonly replace: string;
  readonly all?: boolean;
  readonly ignoreCase?: boolean;
}

/**
 * `search,replace[:search,replace…]`; a third part is `g` (all), `i` (ignore case) or both. A backslash keeps a comma or
 * colon in its place. `replace` may be empty or absent.
 */
export const pathRewrites: Value<readonly PathRewrite[]> = {
  parse: parsePathRewrites,
  schema: (zod) =>
    zod
      .array(
        zod
          .object({
            search: zod.string().min(1),
            replace: zod.string(),
            all: zod.boolean().exactOptional(),
            ignoreCase: zod.boolean().exactOptional(),
          })
          .superRefine((rewrite, context) => {
            const fault = regularExpressionFault(rewrite.search);
            if (fault !== undefined) context.addIssue({ code: 'custom', path: ['search'], message: fault });
          }),
      )
      .min(1),
};

function parsePathRewrites(raw: string): ParsedLabel<readonly PathRewrite[]> {
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
}

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
