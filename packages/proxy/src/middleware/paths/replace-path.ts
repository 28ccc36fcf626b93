import type { UseOf } from '@swarmgate/labels';
import { forwardedPath } from '../../model/exchange.ts';
import { compileExpression } from '../../routing/expressions.ts';
import { proceed, refuse } from '../local-responses.ts';
import type { Middleware } from '../middleware.ts';
import { changePath, type PathLimits } from './change-path.ts';
import { Replacement } from './expand.ts';

const header = 'X-Replaced-Path';

/** `replacePath`. */
export function replacePath({ path }: UseOf<'replacePath'>, limits: PathLimits): Middleware {
  return {
    name: 'replacePath',
    onRequest(exchange) {
      exchange.request.setInEverySpelling(header, forwardedPath(exchange));
      return changePath(exchange, path, limits);
    },
  };
}

/** `replacePathRegex`: a path that does not match passes unchanged. */
export function replacePathRegex({ regex, replacement }: UseOf<'replacePathRegex'>, limits: PathLimits): Middleware {
  const expression = compileExpression(regex, false);
  const replaced = new Replacement(replacement);
  return {
    name: 'replacePathRegex',
    onRequest(exchange) {
      const { path } = exchange;
      exchange.request.deleteInEverySpelling(header);
      if (!expression.matcher(path).find()) return proceed;
      const to = replaced.replaceAll(expression, path, limits.mostBytes);
      if (to === undefined) return refuse('rewritten-path-too-long');
      exchange.request.add(header, forwardedPath(exchange));
      return changePath(exchange, to, limits);
    },
  };
}
