import type { Exchange, LocalResponse, Middleware } from '../middleware/middleware.ts';
import type { Route } from '../model/route.ts';
import { localResponse } from './local-responses.ts';

/** What the route itself answers, before any middleware: a redirect, or labels that cannot be honoured. */
export function answerOfRoute(
  route: Route,
  exchange: Omit<Exchange, 'route'>,
  sentHost: string,
): LocalResponse | undefined {
  if (route.blockedBy !== undefined) return localResponse('label-unsupported');
  if (route.redirectToHost === undefined) return undefined;
  // The client's own port is kept: behind `-p 8000:80` the new name answers there too.
  const port = /:\d+$/.exec(sentHost)?.[0] ?? '';
  const { scheme } = exchange.client;
  return localResponse('redirect', `${scheme}://${route.redirectToHost}${port}${exchange.path}${exchange.query}`);
}

/** Runs the steps in their order until one answers. Stays synchronous as long as they do. */
export function runSteps(
  steps: readonly Middleware[],
  exchange: Exchange,
  from = 0,
): LocalResponse | undefined | Promise<LocalResponse | undefined> {
  for (let at = from; at < steps.length; at += 1) {
    const verdict = (steps[at] as Middleware).onRequest?.(exchange);
    if (verdict === undefined) continue;
    if (verdict instanceof Promise) {
      return verdict.then((late) => (late.kind === 'answer' ? late.answer : runSteps(steps, exchange, at + 1)));
    }
    if (verdict.kind === 'answer') return verdict.answer;
  }
  return undefined;
}
