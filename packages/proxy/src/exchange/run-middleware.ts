import type { Middleware } from '../middleware/middleware.ts';
import type { Exchange } from '../model/exchange.ts';
import type { LocalResponse } from '../model/local-response.ts';
import type { Route } from '../model/route.ts';
import { localResponse } from './local-responses.ts';

/** What the route itself responds, before any middleware: a redirect, or labels that cannot be honoured. */
export function responseOfRoute(
  route: Route,
  scheme: string,
  sentHost: string,
  target: string,
): LocalResponse | undefined {
  if (route.blockedBy !== undefined) return localResponse('unsupported-feature');
  if (route.redirectToHost === undefined) return undefined;
  // The client's own port is kept: behind `-p 8000:80` the new name is served there too.
  const port = /:\d+$/.exec(sentHost)?.[0] ?? '';
  return localResponse('redirect', `${scheme}://${route.redirectToHost}${port}${target}`);
}

/** Runs the steps in their order until one answers. Stays synchronous as long as they do. */
export function runSteps(
  steps: readonly Middleware[],
  exchange: Exchange,
  from = 0,
): LocalResponse | undefined | Promise<LocalResponse | undefined> {
  for (let at = from; at < steps.length; at += 1) {
    const decision = (steps[at] as Middleware).onRequest?.(exchange);
    if (decision === undefined) continue;
    if (decision instanceof Promise) {
      return decision.then((late) => (late.kind === 'respond' ? late.response : runSteps(steps, exchange, at + 1)));
    }
    if (decision.kind === 'respond') return decision.response;
  }
  return undefined;
}
