import type { UseOf } from '@swarmgate/labels';
import { type Exchange, forwardedPath } from '../../model/exchange.ts';
import { portForClients, type SecurePorts } from '../https-redirect.ts';
import { proceed, redirectTo, refuse } from '../local-responses.ts';
import type { Middleware } from '../middleware.ts';
import { redirectStatus } from './redirect-status.ts';

/** `redirectScheme`: requests that came by the other scheme, as this proxy's own connection or a trusted hop shows it. */
export function redirectScheme({ scheme, port, permanent }: UseOf<'redirectScheme'>, ports: SecurePorts): Middleware {
  const usual = scheme === 'https' ? 443 : 80;
  const portOf = (exchange: Exchange) => port ?? (scheme === 'https' ? portForClients(exchange, ports) : usual);
  return {
    name: 'redirectScheme',
    onRequest(exchange) {
      const { host, query, client, method } = exchange;
      if (client.scheme === scheme) return proceed;
      // HTTP/1.0 may come without a Host: there is nowhere to send it.
      if (host === '') return refuse('http-denied');
      const to = portOf(exchange);
      const target = `${scheme}://${host}${to === usual ? '' : `:${to}`}${forwardedPath(exchange)}${query}`;
      return redirectTo(redirectStatus(method, permanent), target);
    },
  };
}
