import { stickyToken } from '../endpoints/balancing/sticky-token.ts';
import { setsSession } from '../http/session-cookie.ts';
import type { Exchange } from '../model/exchange.ts';
import type { HeaderList } from '../model/header-list.ts';
import { proceed } from './local-responses.ts';
import type { Middleware } from './middleware.ts';

/** Before the token: distinguishes the proxy's cookie from a service's cookie of the same name. */
const mark = 'swarmgate.';

/**
 * `sessionType=sticky-server`: a cookie selects one task. It holds an opaque token of the task, so it means the same on
 * every replica, survives updates of the others, and is set again when its task is gone. The service never gets it.
 *
 * Its name is `sessionCookie`, else that of the service. A cookie that the service sets under this name is the service's: it passes
 * both ways, and the proxy uses `<name>-swarmgate`.
 * @param attributes `sessionCookieAttributes`, in the one form that definitions hold
 */
export function stickyCookie(name: string, attributes = 'Path=/; HttpOnly; SameSite=Lax'): Middleware {
  const isAlwaysSecure = attributes.split('; ').includes('Secure');
  // The name of the console's session would end the session, and never come back: it is taken off requests.
  const names = [name, `${name}-swarmgate`].filter((each) => !setsSession(`${each}=`));
  return {
    name: 'sessionType',
    onRequest(exchange) {
      const token = takeCookies(exchange, names);
      if (token !== undefined) exchange.stickTo = token;
      return proceed;
    },
    onResponse(exchange, { endpoint, headers }) {
      const token = stickyToken(endpoint);
      // A cookie of the service's would replace the one that the client has.
      const isReplaced = names.some((each) => setsCookie(headers, each));
      if (exchange.stickTo === token && !isReplaced) return;
      const free = names.find((each) => !setsCookie(headers, each) && !sendsCookie(exchange, each));
      if (free === undefined) return;
      const secure = exchange.client.scheme === 'https' && !isAlwaysSecure ? '; Secure' : '';
      headers.add('Set-Cookie', `${free}=${mark}${token}; ${attributes}${secure}`);
      // A shared cache would hand one client's cookie to all.
      if (!headers.has('cache-control')) headers.add('Cache-Control', 'private');
    },
  };
}

/** The token of the first name that has one; the proxy's cookies are taken off the request. */
function takeCookies({ request }: Exchange, names: readonly string[]): string | undefined {
  const sent = request.all('cookie');
  if (sent.length === 0) return undefined;
  const pairs = sent.flatMap((header) => header.split(';')).map((part) => part.trim());
  const ofProxy = names.flatMap((name) => pairs.filter((pair) => pair.startsWith(`${name}=${mark}`)));
  const [first] = ofProxy;
  if (first === undefined) return undefined;
  const kept = pairs.filter((pair) => pair !== '' && !ofProxy.includes(pair));
  if (kept.length === 0) request.delete('cookie');
  else request.set('Cookie', kept.join('; '));
  return first.slice(first.indexOf('=') + 1 + mark.length);
}

/** After `takeCookies`: what is left of this name is the service's. */
function sendsCookie({ request }: Exchange, name: string): boolean {
  return request.all('cookie').some((header) => header.split(';').some((pair) => nameOf(pair) === name));
}

function setsCookie(headers: HeaderList, name: string): boolean {
  return headers.all('set-cookie').some((cookie) => nameOf(cookie) === name);
}

function nameOf(pair: string): string {
  return pair.slice(0, Math.max(0, pair.indexOf('='))).trim();
}
