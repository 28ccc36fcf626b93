import { type Exchange, forwardedPath } from '../model/exchange.ts';
import { proceed, redirect, refuse } from './local-responses.ts';
import type { Decision, Middleware } from './middleware.ts';

export interface HttpsRedirectOptions {
  /** As explain shows it. */
  readonly name: 'httpsOnly' | 'HTTPS_ONLY';
  /** 301, 302, 303, 307 or 308. */
  readonly status: number;
  /** Port that ends TLS, where it is not 443. */
  readonly securePort?: number;
}

/** Redirects to https unless the client uses it already, to this proxy or by the word of a trusted proxy. */
export function httpsOnly({ name, status, securePort }: HttpsRedirectOptions): Middleware {
  return {
    name,
    onRequest: (exchange) => (exchange.client.scheme === 'https' ? proceed : toHttps(exchange, status, securePort)),
  };
}

/**
 * `redirectWhenHttpProto`: only where a trusted hop stands in between and the client reached it by http.
 * `redirectUnlessHttpsProto`: wherever https is not proven. A client’s own X-Forwarded-Proto proves nothing.
 */
export function forwardedProtoRedirect(
  name: 'redirectWhenHttpProto' | 'redirectUnlessHttpsProto',
  securePort?: number,
): Middleware {
  return {
    name,
    onRequest(exchange) {
      const { trustedHop, scheme } = exchange.client;
      const applies = name === 'redirectUnlessHttpsProto' || trustedHop;
      return applies && scheme !== 'https' ? toHttps(exchange, 302, securePort) : proceed;
    },
  };
}

function toHttps(exchange: Exchange, status: number, securePort: number | undefined): Decision {
  const { host, query } = exchange;
  // HTTP/1.0 may come without a Host: there is nowhere to send it.
  if (host === '') return refuse('http-denied');
  const port = securePort === undefined || securePort === 443 ? '' : `:${securePort}`;
  return redirect(status, `https://${host}${port}${forwardedPath(exchange)}${query}`);
}
