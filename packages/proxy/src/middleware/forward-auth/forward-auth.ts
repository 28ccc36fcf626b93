import type { UseOf } from '@swarmgate/labels';
import type { Logger } from '@swarmgate/runtime';
import type { Exchange } from '../../model/exchange.ts';
import type { Route } from '../../model/route.ts';
import { ServiceCallError, type WholeResponse } from '../calls/service-call.ts';
import type { ServiceCalls } from '../calls/service-calls.ts';
import { proceed, refuse } from '../local-responses.ts';
import type { Decision, Middleware } from '../middleware.ts';
import { authMethod, authRequestHead } from './auth-request.ts';
import { addCookies, copyHeaders, denial, passedCookies } from './auth-response.ts';
import { type AuthSettings, authSettings } from './auth-settings.ts';

export interface ForwardAuthParts {
  readonly calls: Pick<ServiceCalls, 'call'>;
  readonly logger: Logger;
  /** Milliseconds; only differences count. Default `performance.now`. */
  readonly nowMs?: () => number;
}

/**
 * `forwardAuth`: another service decides. A 2xx passes with the headers and cookies that the route names; what else it
 * responds goes to the client whole; no usable response is 503 `auth-unavailable`. Handed-through paths go to the auth service
 * itself, without a check: its sign-in pages.
 */
export function forwardAuth(use: UseOf<'forwardAuth'>, route: Route, parts: ForwardAuthParts): Middleware {
  const settings = authSettings(use, route);
  const nowMs = parts.nowMs ?? (() => performance.now());
  const cookies = new WeakMap<Exchange, readonly string[]>();

  const verify = async (exchange: Exchange, head: string): Promise<Decision> => {
    const beganMs = nowMs();
    const response = await respond(exchange, head, settings, parts);
    // Two auth services of one route: their times add up.
    exchange.authMs = (exchange.authMs ?? 0) + nowMs() - beganMs;
    if (response === undefined) return refuse('auth-unavailable', ['Retry-After', '1']);
    if (response.status < 200 || response.status > 299)
      return { kind: 'respond', response: denial(exchange, response, settings) };
    copyHeaders(exchange, response, settings);
    const user = settings.userHeader === undefined ? undefined : headerOf(response, settings.userHeader);
    if (user !== undefined) exchange.user = user;
    const passed = passedCookies(response, settings);
    if (passed.length > 0) cookies.set(exchange, passed);
    return proceed;
  };

  return {
    name: 'forwardAuth',
    wantsOneReading: true,
    onRequest(exchange) {
      if (isHandedThrough(exchange.path, settings)) return { kind: 'hand-through', to: settings.address.route };
      const head = authRequestHead(exchange, settings);
      return head === undefined ? refuse('auth-unavailable') : verify(exchange, head);
    },
    ...(settings.passesCookie === undefined
      ? {}
      : {
          onResponse(exchange, { headers }) {
            const passed = cookies.get(exchange);
            if (passed !== undefined) addCookies(headers, passed);
          },
        }),
  };
}

async function respond(
  exchange: Exchange,
  head: string,
  settings: AuthSettings,
  { calls, logger }: ForwardAuthParts,
): Promise<WholeResponse | undefined> {
  const { timeoutMs, mostResponseBytes: mostBodyBytes, address } = settings;
  const method = authMethod(exchange, settings);
  try {
    const response = await calls.call({ route: address.route, head, method, timeoutMs, mostBodyBytes });
    // No browser called the auth service before: so there is no session that it could confirm.
    if (response.status !== 304) return response;
    logger.warn({ service: exchange.route.key, auth: address.authority }, 'the auth service responded with 304');
  } catch (error) {
    if (!(error instanceof ServiceCallError)) throw error;
    logger.warn(
      { service: exchange.route.key, auth: address.authority, reason: error.code, err: error },
      'the auth service gave no usable response',
    );
  }
  return undefined;
}

/** `/oauth2/` stands for `/oauth2` too. */
function isHandedThrough(path: string, { handThrough }: AuthSettings): boolean {
  return handThrough.some((prefix) => {
    const bare = prefix.replace(/\/+$/, '');
    return path === bare || path.startsWith(`${bare}/`);
  });
}

function headerOf({ headers }: WholeResponse, name: string): string | undefined {
  const lower = name.toLowerCase();
  for (let at = 0; at < headers.length; at += 2)
    if (headers[at]?.toLowerCase() === lower) return headers[at + 1] as string;
  return undefined;
}
