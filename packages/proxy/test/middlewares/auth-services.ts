import type { Response } from './middleware-stage.ts';

/**
 * Small servers that keep the contracts of auth services as their projects document them: what they read, and status,
 * headers and cookies that they respond.
 */

const cookieOf = (call: { header(name: string): string | undefined }, name: string) =>
  new RegExp(`(?:^|;\\s*)${name}=([^;]*)`).exec(call.header('cookie') ?? '')?.[1];

/** Authelia, `/api/authz/forward-auth`: redirects browsers to its portal itself, responds with 401 to other clients. */
export const authelia: Response = (call, response) => {
  if (!call.url.startsWith('/api/authz/forward-auth')) return void response.writeHead(404).end('not found');
  const url = `${call.header('x-forwarded-proto')}://${call.header('x-forwarded-host')}${call.header('x-forwarded-uri')}`;
  if (call.header('x-forwarded-method') === undefined || !URL.canParse(url))
    return void response.writeHead(400).end('the forwarded headers are wrong');
  const user = cookieOf(call, 'authelia_session');
  if (user !== undefined && new URL(url).pathname.startsWith('/forbidden'))
    return void response.writeHead(403, { 'Content-Type': 'text/plain' }).end('403 Forbidden');
  if (user !== undefined) {
    response.writeHead(200, {
      'Remote-User': user,
      'Remote-Groups': 'admins,dev',
      'Remote-Name': `The ${user}`,
      'Remote-Email': `${user}@example.com`,
      'Set-Cookie': `authelia_session=${user}; Path=/; HttpOnly`,
    });
    return void response.end();
  }
  const portal = `https://auth.example.com/?rd=${encodeURIComponent(url)}&rm=${call.header('x-forwarded-method')}`;
  const isBrowser = /text\/html/.test(call.header('accept') ?? '');
  response.writeHead(isBrowser ? 302 : 401, { Location: portal, 'Content-Type': 'text/html; charset=utf-8' });
  response.end(`<a href="${portal}">${isBrowser ? 'Found' : 'Unauthorized'}</a>`);
};

/** authentik, `/outpost.goauthentik.io/auth/traefik`: redirects to its own path on the application's host. */
export const authentik: Response = (call, response) => {
  const host = call.header('x-forwarded-host');
  if (call.url.startsWith('/outpost.goauthentik.io/auth/traefik')) {
    const user = cookieOf(call, 'authentik_proxy_ab12');
    if (user !== undefined) {
      response.writeHead(200, {
        'X-authentik-username': user,
        'X-authentik-groups': 'admins|dev',
        'X-authentik-meta-app': 'shop',
        'X-Powered-By': 'authentik',
      });
      return void response.end();
    }
    const requested = `${call.header('x-forwarded-proto')}://${host}${call.header('x-forwarded-uri')}`;
    response.writeHead(302, {
      Location: `http://${host}/outpost.goauthentik.io/start?rd=${encodeURIComponent(requested)}`,
      'Set-Cookie': ['authentik_proxy_ab12=pending; Path=/', 'authentik_csrf=1; Path=/'],
    });
    return void response.end();
  }
  if (call.url.startsWith('/outpost.goauthentik.io/')) {
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    return void response.end(`outpost ${call.method} ${call.url} for ${call.header('host')}: ${call.body}`);
  }
  response.writeHead(404).end();
};

/** oauth2-proxy with `--reverse-proxy` and `--set-xauthrequest`: 202 or 401 at `/oauth2/auth`, its pages below `/oauth2/`. */
export const oauth2Proxy: Response = (call, response) => {
  if (call.url === '/oauth2/auth') {
    const user = cookieOf(call, '_oauth2_proxy');
    if (user === undefined) {
      response.writeHead(401, { 'Content-Type': 'text/plain', 'Set-Cookie': '_oauth2_proxy=; Max-Age=0' });
      return void response.end('Unauthorized\n');
    }
    response.writeHead(202, {
      'X-Auth-Request-User': user,
      'X-Auth-Request-Email': `${user}@example.com`,
      'Set-Cookie': [`_oauth2_proxy=${user}; Path=/; HttpOnly`, '_oauth2_proxy_1=more; Path=/'],
    });
    return void response.end();
  }
  if (call.url.startsWith('/oauth2/')) {
    response.writeHead(200, { 'Content-Type': 'text/html' });
    return void response.end(`oauth2-proxy ${call.method} ${call.url}: ${call.body}`);
  }
  response.writeHead(404).end();
};
