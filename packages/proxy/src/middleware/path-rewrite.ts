import type { PathRewrite } from '@swarmgate/registry';
import type { RE2JS } from 're2js';
import { compileExpression } from '../routing/expressions.ts';
import { normalizePath } from '../routing/normal-path.ts';
import { proceed, refuse } from './local-responses.ts';
import type { Middleware } from './middleware.ts';
import { type Rewritten, rewriteDavFields } from './webdav-fields.ts';

/** Characters that the rewrites of one request read together: they run in turn, each over all of the path. */
const mostRead = 1_048_576;

/**
 * `reqPathSearchReplace` with the meaning of HAProxy's `regsub`: the first match only unless `all`; `\1` to `\9` in the
 * replacement are groups, `\0` is the match (https://docs.haproxy.org/2.6/configuration.html#7.3.1-regsub). The engine is
 * linear in time. What comes out is brought into normal form again, so a rewrite cannot make a path that no rule saw.
 * @param mostBytes of the path after each rewrite (`MAX_HEAD_BYTES`): rewrites can multiply one that a client chooses
 */
export function pathRewrite(rewrites: readonly PathRewrite[], mostBytes = 32_768): Middleware {
  const replacements = rewrites.map((rewrite) => compileRewrite(rewrite, mostBytes));
  return {
    name: 'reqPathSearchReplace',
    onRequest(exchange) {
      let read = 0;
      const rewrite = (from: string): Rewritten => {
        let path = from;
        for (const replace of replacements) {
          read += path.length;
          const replaced = read > mostRead ? undefined : replace(path);
          if (replaced === undefined) return { ok: false, reason: 'rewritten-path-too-long' };
          path = replaced;
        }
        if (path === from) return { ok: true, path };
        const normal = normalizePath(path.startsWith('/') ? path : `/${path}`);
        return normal.ok ? normal : { ok: false, reason: 'rewritten-path-invalid' };
      };
      const own = rewrite(exchange.path);
      if (!own.ok) return refuse(own.reason);
      if (own.path !== exchange.path) {
        exchange.rewrittenFrom ??= exchange.path;
        exchange.path = own.path;
      }
      const refused = rewriteDavFields(exchange, rewrite);
      return refused === undefined ? proceed : refuse(refused);
    },
  };
}

/** `undefined`: the result has more than `mostBytes`. */
function compileRewrite(
  { search, replace, all, ignoreCase }: PathRewrite,
  mostBytes: number,
): (path: string) => string | undefined {
  const expression = compileExpression(search, ignoreCase === true);
  const parts = replace.split(/(\\[0-9\\])/);
  return (path) => {
    const matcher = expression.matcher(path);
    let result = '';
    let copied = 0;
    while (matcher.find()) {
      result += path.slice(copied, matcher.start());
      for (const part of parts) {
        if (part === '\\\\') result += '\\';
        else if (/^\\[0-9]$/.test(part)) result += groupOf(matcher, Number(part.charAt(1)));
        else result += part;
        if (result.length > mostBytes) return undefined;
      }
      copied = matcher.end();
      if (all !== true) break;
    }
    return result.length + path.length - copied > mostBytes ? undefined : result + path.slice(copied);
  };
}

/** Empty for a group that took no part, or that the expression does not have. */
function groupOf(matcher: ReturnType<RE2JS['matcher']>, group: number): string {
  return group <= matcher.groupCount() ? (matcher.group(group) ?? '') : '';
}
