import type { UseOf } from '@swarmgate/labels';
import type { Exchange } from '../../model/exchange.ts';
import { compileExpression } from '../../routing/expressions.ts';
import { proceed } from '../local-responses.ts';
import type { Middleware } from '../middleware.ts';
import { changePath, type PathLimits } from './change-path.ts';

const header = 'X-Forwarded-Prefix';

/** `stripPrefix`: compares as Traefik does, text at the beginning, whatever follows. */
export function stripPrefix({ prefixes }: UseOf<'stripPrefix'>, limits: PathLimits): Middleware {
  return stripping('stripPrefix', limits, (path) => prefixes.find((prefix) => path.startsWith(prefix)));
}

/** `stripPrefixRegex`: the first expression whose first match stands at the beginning. */
export function stripPrefixRegex({ expressions }: UseOf<'stripPrefixRegex'>, limits: PathLimits): Middleware {
  const compiled = expressions.map((text) => compileExpression(text, false));
  return stripping('stripPrefixRegex', limits, (path) => {
    for (const expression of compiled) {
      const matcher = expression.matcher(path);
      if (matcher.find() && matcher.start() === 0 && matcher.end() > 0) return path.slice(0, matcher.end());
    }
    return undefined;
  });
}

function stripping(name: string, limits: PathLimits, prefixOf: (path: string) => string | undefined): Middleware {
  return {
    name,
    onRequest(exchange) {
      forgetClientsPrefix(exchange);
      const prefix = prefixOf(exchange.path);
      if (prefix === undefined) return proceed;
      exchange.request.add(header, prefix);
      return changePath(exchange, exchange.path.slice(prefix.length), limits);
    },
  };
}

/** A service builds its links from this header: what a client that is no trusted proxy sends in it must not get there. */
function forgetClientsPrefix(exchange: Exchange): void {
  if (exchange.client.trustedHop || exchange.prefixIsOurs === true) return;
  exchange.prefixIsOurs = true;
  exchange.request.deleteInEverySpelling(header);
}
