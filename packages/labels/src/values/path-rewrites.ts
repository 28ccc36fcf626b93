import { percentEncoded } from './compared-characters.ts';
import { regularExpressionFault } from './regular-expression.ts';
import { splitParts } from './split.ts';
import { not, ok, type ParsedLabel, type Value } from './value.ts';

/** The first match only, unless `all`. Rewrites apply in sequence to the path; the query is not changed. */
export interface PathRewrite {
  readonly search: string;
  /** `\\1` to `\\9` are groups, `\\0` is the match. */
  readonly replace: string;
  readonly all?: boolean;
  readonly ignoreCase?: boolean;
}

/**
 * `search,replace[:search,replace…]`; a third part is `g` (all), `i` (ignore case) or both. Commas and colons inside the
 * brackets of an expression, quotes or behind a backslash do not cut. `replace` may be empty or absent.
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
            const wrong = replacementFault(rewrite.replace);
            if (wrong !== undefined)
              context.addIssue({ code: 'custom', path: ['replace'], message: `expected ${wrong}` });
          }),
      )
      .min(1),
};

const usage = not('search,replace[,g|i] with : between several');

function parsePathRewrites(raw: string): ParsedLabel<readonly PathRewrite[]> {
  const rewrites: PathRewrite[] = [];
  for (const { text: rule } of splitParts(raw, ':')) {
    if (rule === '') continue;
    const [search = '', replace = '', flags = '', ...tooMany] = splitParts(rule, ',').map(({ text }) => text);
    if (tooMany.length > 0 || !/^(g|i|gi|ig)?$/.test(flags)) return usage;
    const rewrite = pathRewriteOf(search, replace, flags);
    if (!rewrite.ok) return rewrite;
    if (rewrite.value !== undefined) rewrites.push(rewrite.value);
  }
  return rewrites.length === 0 ? usage : ok(rewrites);
}

/** @param flags `g` (all), `i` (ignore case), both or neither */
export function pathRewriteOf(search: string, replace: string, flags = ''): ParsedLabel<PathRewrite> {
  if (search === '') return usage;
  const fault = regularExpressionFault(search);
  if (fault !== undefined) return not(fault.replace(/^expected /, ''));
  const encoded = [...replace]
    .map((character) => (character > '\x7f' ? percentEncoded(character) : character))
    .join('');
  const wrong = replacementFault(encoded);
  if (wrong !== undefined) return not(wrong);
  return ok({
    search,
    replace: encoded,
    ...(flags.includes('g') ? { all: true } : {}),
    ...(flags.includes('i') ? { ignoreCase: true } : {}),
  });
}

const longestReplacement = 1000;

/** What a replacement holds that makes every rewritten path invalid, as what is expected instead. */
function replacementFault(replace: string): string | undefined {
  if (replace.length > longestReplacement) return `a replacement of at most ${longestReplacement} characters`;
  const withoutGroups = replace.replace(/\\[0-9]/g, '00');
  if (/[?#]/.test(withoutGroups)) return 'a replacement without ? and #: only the path is rewritten, the query stays';
  if (/[^\x21-\x7e]/.test(withoutGroups)) return 'a replacement without blanks and control characters (a blank is %20)';
  if (withoutGroups.includes('\\')) return 'a replacement without backslashes, other than \\0 to \\9 for groups';
  if (/%(?![0-9A-Fa-f]{2})|%00/.test(withoutGroups))
    return 'two hexadecimal digits after % in a replacement (%25 is a percent sign)';
  return undefined;
}
