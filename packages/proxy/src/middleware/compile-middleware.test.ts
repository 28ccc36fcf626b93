import { readSettings, silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { exchangeOf, headOf, outcomeOf, overTls, routeOf } from '../../test/middleware-fixture.ts';
import { createMiddleware, type RouteMiddleware } from './compile-middleware.ts';

const made: RouteMiddleware[] = [];

function middleware(env: Record<string, string> = {}): RouteMiddleware {
  const settings = readSettings('proxy', { env, secretsDir: '/nonexistent' });
  const one = createMiddleware({ settings, env, logger: silentLogger, secretsDir: '/nonexistent' });
  made.push(one);
  return one;
}

const everything = routeOf(
  {
    users: [{ username: 'jane' }],
    allowedAddresses: ['0.0.0.0/0'],
    rateLimit: { requests: 5, windowMs: 1000 },
    redirectWhenHttpProto: true,
    redirectUnlessHttpsProto: true,
    addReqHeader: [{ name: 'A', value: '1' }],
    setResHeader: [{ name: 'B', value: '1' }],
    sessionType: 'sticky-server',
    compressionAlgo: ['gzip'],
    connectionMode: 'http-server-close',
  },
  {
    httpsOnly: true,
    denyHttp: true,
    allowedMethods: ['GET'],
    deniedMethods: ['PUT'],
    verifyClientSsl: true,
    reqPathSearchReplace: [{ search: 'a', replace: 'b' }],
    addPrefix: { prefix: '/b' },
    stripPrefix: { prefixes: ['/a'] },
    middlewares: [{ kind: 'stripPrefix', prefixes: ['/c'] }],
  },
);

describe('createMiddleware', () => {
  after(async () => {
    for (const each of made) await each.stop();
  });

  it('puts every step in the documented order', () => {
    expect(
      middleware()
        .middlewareOf(everything)
        .map(({ name }) => name),
    ).to.deep.equal([
      'allowedAddresses',
      'rateLimit',
      'Authorization',
      'httpsOnly',
      'redirectWhenHttpProto',
      'redirectUnlessHttpsProto',
      'verifyClientSsl',
      'allowedMethods',
      'deniedMethods',
      'denyHttp',
      'stripPrefix',
      'addPrefix',
      'stripPrefix',
      'reqHeader',
      'resHeader',
      'reqPathSearchReplace',
      'users',
      'sessionType',
      'connectionMode',
      'compressionAlgo',
    ]);
  });

  it('has no step for a plain route, and keeps what it compiled', () => {
    const { middlewareOf } = middleware();
    const route = routeOf();
    expect(middlewareOf(route)).to.deep.equal([]);
    expect(middlewareOf(route)).to.equal(middlewareOf(route));
  });

  for (const name of ['', 'digestAuth'])
    it(`keeps a route closed whose middleware ${JSON.stringify(name)} is unsupported, and compiles it without an error`, async () => {
      const { middlewareOf } = middleware();
      const route = routeOf({}, { middlewares: [{ kind: 'unsupported', name, why: 'it is not known' }] });
      expect(await outcomeOf(middlewareOf(route), exchangeOf(route))).to.equal('503 unsupported-feature');
    });

  it('follows the global settings', async () => {
    const { middlewareOf } = middleware({ HTTPS_ONLY: 'true', USERS: 'gus:pw', COMPRESSION_ALGO: 'gzip' });
    const route = routeOf();
    expect(middlewareOf(route).map(({ name }) => name)).to.deep.equal([
      'Authorization',
      'HTTPS_ONLY',
      'USERS',
      'compressionAlgo',
    ]);
    expect(await outcomeOf(middlewareOf(route), exchangeOf(route))).to.equal('302 https-required');
    expect(await outcomeOf(middlewareOf(route), exchangeOf(route, { client: overTls }))).to.equal(
      '401 credentials-required',
    );
  });

  it('needs no credentials with ignoreAuthorization', () => {
    const { middlewareOf } = middleware({ USERS: 'gus:pw' });
    expect(middlewareOf(routeOf({ users: [{ username: 'x' }] }, { ignoreAuthorization: true }))).to.deep.equal([]);
  });

  it('redirects to the port that ends TLS', async () => {
    const { middlewareOf } = middleware({ DEFAULT_PORTS: '8000,8443:ssl' });
    const route = routeOf({}, { httpsOnly: true, httpsRedirectCode: 301 });
    const exchange = exchangeOf(route, { headers: ['Host', 'shop.example:8000'] });
    const decision = await middlewareOf(route)[0]?.onRequest?.(exchange);
    expect(decision?.kind === 'respond' && decision.response.headers).to.deep.equal([
      'Location',
      'https://shop.example:8443/',
    ]);
  });

  it('compresses for the routes whose label requests it', () => {
    const { middlewareOf } = middleware();
    const sent = { headers: ['Accept-Encoding', 'gzip'] };
    const compressed = (route: ReturnType<typeof routeOf>) =>
      middlewareOf(route).some((step) => {
        const stream = step.transform?.(exchangeOf(route, sent), headOf(['Content-Type', 'text/html']), true);
        stream?.destroy();
        return stream !== undefined;
      });
    expect(compressed(everything)).to.equal(true);
    expect(compressed(routeOf())).to.equal(false);
  });
});
