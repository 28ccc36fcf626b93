import { stickyToken } from '../endpoints/balancing/sticky-token.ts';
import type { Exchange } from '../model/exchange.ts';
import { proceed } from './local-responses.ts';
import type { Middleware } from './middleware.ts';

/**
 * `sessionType=sticky-server`: a cookie named after the service asks for one task. It holds an opaque token of the task,
 * so it means the same on every replica, survives updates of the others, and is set again when its task is gone. The
 * service never sees it.
 */
export function stickyCookie(service: string): Middleware {
  return {
    name: 'sessionType',
    onRequest(exchange) {
      const token = takeCookie(exchange, service);
      if (token !== undefined) exchange.stickTo = token;
      return proceed;
    },
    onResponse(exchange, { endpoint, headers }) {
      const token = stickyToken(endpoint);
      if (exchange.stickTo === token) return;
      const secure = exchange.client.scheme === 'https' ? '; Secure' : '';
      headers.add('Set-Cookie', `${service}=${token}; Path=/; HttpOnly; SameSite=Lax${secure}`);
      // A shared cache would hand one client's cookie to all.
      if (!headers.has('cache-control')) headers.add('Cache-Control', 'private');
    },
  };
}

/** The cookie's value; the cookie itself is taken off the request. */
function takeCookie({ request }: Exchange, name: string): string | undefined {
  let found: string | undefined;
  const kept: string[] = [];
  const sent = request.all('cookie');
  if (sent.length === 0) return undefined;
  for (const pair of sent.flatMap((header) => header.split(';')).map((part) => part.trim())) {
    if (pair.startsWith(`${name}=`)) found ??= pair.slice(name.length + 1);
    else if (pair !== '') kept.push(pair);
  }
  if (found === undefined) return undefined;
  if (kept.length === 0) request.delete('cookie');
  else request.set('Cookie', kept.join('; '));
  return found;
}
