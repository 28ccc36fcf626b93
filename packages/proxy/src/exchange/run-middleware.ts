import { isSessionField } from '../http/session-cookie.ts';
import type { Decision, Middleware } from '../middleware/middleware.ts';
import type { Exchange, ExchangeEnd } from '../model/exchange.ts';
import { HeaderList } from '../model/header-list.ts';
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

/** Runs the steps in their order until one responds. Stays synchronous as long as they do. */
export function runSteps(
  steps: readonly Middleware[],
  exchange: Exchange,
  from = 0,
): LocalResponse | undefined | Promise<LocalResponse | undefined> {
  for (let at = from; at < steps.length; at += 1) {
    const decision = (steps[at] as Middleware).onRequest?.(exchange);
    if (decision === undefined) continue;
    if (decision instanceof Promise) {
      return decision.then((late) =>
        late.kind === 'continue' ? runSteps(steps, exchange, at + 1) : concluded(late, exchange, steps, at),
      );
    }
    if (decision.kind !== 'continue') return concluded(decision, exchange, steps, at);
  }
  return undefined;
}

function concluded(
  decision: Exclude<Decision, { kind: 'continue' }>,
  exchange: Exchange,
  steps: readonly Middleware[],
  at: number,
): LocalResponse | undefined | Promise<LocalResponse> {
  if (decision.kind === 'respond') return throughSteps(steps, exchange, decision.response, at);
  exchange.forwardsTo = decision.to;
  return undefined;
}

/**
 * A response of the proxy's own as the steps before it leave it, the nearest first.
 * @param before how many of the steps stand before what made it; default: all
 */
export function throughSteps(
  steps: readonly Middleware[] = [],
  exchange: Exchange | undefined,
  response: LocalResponse,
  before = steps.length,
): LocalResponse | Promise<LocalResponse> {
  if (exchange === undefined) return response;
  let changed = response;
  for (let at = before - 1; at >= 0; at -= 1) {
    const next = steps[at]?.onLocalResponse?.(exchange, changed);
    if (next instanceof Promise) return next.then((late) => throughSteps(steps, exchange, late, at));
    if (next !== undefined) changed = next;
  }
  return withoutSessionCookie(changed);
}

/** Labels, and services that steps call, cannot set the cookie of the console's session. */
function withoutSessionCookie(response: LocalResponse): LocalResponse {
  const list = new HeaderList([...(response.headers ?? [])]);
  const { length } = list.flat;
  list.change((name, value) => (isSessionField(name, value) ? undefined : value));
  return list.flat.length === length ? response : { ...response, headers: list.flat };
}

/** What replaces a response of the endpoint, by the step nearest to it that replaces this status. */
export function replacementOf(
  steps: readonly Middleware[],
  exchange: Exchange | undefined,
  status: number,
): Promise<LocalResponse> | undefined {
  if (exchange === undefined) return undefined;
  for (let at = steps.length - 1; at >= 0; at -= 1) {
    const replaced = steps[at]?.replaces?.(exchange, status);
    if (replaced !== undefined) return replaced.then((response) => throughSteps(steps, exchange, response, at));
  }
  return undefined;
}

/** Notifies the steps of an exchange that it has ended. */
export function endExchange(exchange: Exchange, end: ExchangeEnd): void {
  exchange.end = end;
  for (const act of exchange.atEnd ?? []) act(end);
}
