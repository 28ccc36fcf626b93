import type { UseOf } from '@swarmgate/labels';
import { forwardedPath } from '../../model/exchange.ts';
import { compileExpression } from '../../routing/expressions.ts';
import { proceed, redirectTo, refuse } from '../local-responses.ts';
import type { Middleware } from '../middleware.ts';
import { Replacement } from '../paths/expand.ts';
import { redirectStatus } from './redirect-status.ts';

/** `redirectRegex`: a URL that stays as it is passes, so that no redirect leads to itself. */
export function redirectRegex(
  { regex, replacement, permanent }: UseOf<'redirectRegex'>,
  { mostBytes }: { readonly mostBytes: number },
): Middleware {
  const expression = compileExpression(regex, false);
  const replaced = new Replacement(replacement);
  return {
    name: 'redirectRegex',
    onRequest(exchange) {
      const { client, query, method } = exchange;
      const host = exchange.request.get('host') ?? exchange.host;
      const url = `${client.scheme}://${host}${forwardedPath(exchange)}${query}`;
      if (!expression.matcher(url).find()) return proceed;
      const to = replaced.replaceAll(expression, url, mostBytes);
      if (to === undefined || !/^[\x21-\x7e]+$/.test(to)) return refuse('redirect-invalid');
      return to === url ? proceed : redirectTo(redirectStatus(method, permanent), to);
    },
  };
}
