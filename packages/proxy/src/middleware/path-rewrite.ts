import type { PathRewrite } from '@swarmgate/registry';
import { RE2JS } from 're2js';
import { normalizePath } from '../routing/normal-path.ts';
import { proceed, refuse } from './local-responses.ts';
import type { Middleware } from './middleware.ts';

/**
 * `reqPathSearchReplace` with the meaning of HAProxy's `regsub`: the first match only unless `all`; `\1` to `\9` in the
 * replacement are groups, `\0` is the match (https://docs.haproxy.org/2.6/configuration.html#7.3.1-regsub). The engine is
 * linear in time. What comes out is brought into normal form again, so a rewrite cannot make a path that no rule saw.
 */
export function pathRewrite(rewrites: readonly PathRewrite[]): Middleware {
  const replacements = rewrites.map(compileRewrite);
  return {
    name: 'reqPathSearchReplace',
    onRequest(exchange) {
      let path = exchange.path;
      for (const replace of replacements) path = replace(path);
      if (path === exchange.path) return proceed;
      const normal = normalizePath(path.startsWith('/') ? path : `/${path}`);
      if (!normal.ok) return refuse('rewritten-path-invalid');
      exchange.path = normal.path;
      return proceed;
    },
  };
}

function compileRewrite({ search, replace, all, ignoreCase }: PathRewrite): (path: string) => string {
  const expression = RE2JS.compile(search, ignoreCase === true ? RE2JS.CASE_INSENSITIVE : 0);
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
      }
      copied = matcher.end();
      if (all !== true) break;
    }
    return result + path.slice(copied);
  };
}

/** Empty for a group that took no part, or that the expression does not have. */
function groupOf(matcher: ReturnType<RE2JS['matcher']>, group: number): string {
  return group <= matcher.groupCount() ? (matcher.group(group) ?? '') : '';
}
