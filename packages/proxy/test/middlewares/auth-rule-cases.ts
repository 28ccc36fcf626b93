import { expect } from 'chai';
import { type AuthCase, denied, only, passes, plain, requests } from './auth-case.ts';

/** What holds for every auth service. */
export const authRuleCases: readonly AuthCase[] = [
  ...['X_User', 'x.user', 'X-USER', 'X-User'].map(
    (spelling): AuthCase => ({
      what: `a client's own ${spelling} does not get to the service`,
      labels: plain,
      auth: passes,
      request: { headers: { [spelling]: 'root' } },
      expect: (_given, { backend }) => {
        const { raw } = only(backend);
        const names = raw.filter((name, at) => at % 2 === 0 && /^x[^a-z]user$/i.test(name));
        expect(names).to.deep.equal(['X-User']);
        expect(only(backend).header('x-user')).to.equal('jane');
      },
    }),
  ),
  {
    what: 'a copied header that the auth service does not send is removed too',
    labels: plain,
    auth: passes,
    request: { headers: { 'x-groups': 'root', x_groups: 'root' } },
    expect: (_given, { backend }) => {
      expect(only(backend).raw.join(' ')).to.not.match(/groups/i);
    },
  },
  {
    what: 'responseHeadersRegex removes and copies every matching name',
    labels: { forwardAuth: 'http://AUTH/verify,responseHeadersRegex=^x-id-' },
    auth: (_call, response) => response.writeHead(200, { 'X-Id-Name': 'jane', 'X-Other': '1' }).end(),
    request: { headers: { 'x-id-admin': 'yes', x_id_name: 'root' } },
    expect: (_given, { backend }) => {
      const { raw } = only(backend);
      const names = raw.filter((name, at) => at % 2 === 0 && /^x.id|^x.other/i.test(name));
      expect(names).to.deep.equal(['X-Id-Name']);
    },
  },
  {
    what: 'X-Forwarded-Method and -Uri are never the client’s',
    labels: plain,
    auth: passes,
    request: {
      path: '/secret',
      headers: { 'x-forwarded-uri': '/public', X_Forwarded_Uri: '/public', 'x-forwarded-method': 'OPTIONS' },
    },
    expect: (_given, { auth }) => {
      const { raw } = only(auth);
      const uris = raw.filter(
        (_value, at) => at % 2 === 1 && /^x[^a-z]forwarded[^a-z](uri|method)$/i.test(raw[at - 1] ?? ''),
      );
      expect(uris).to.have.members(['GET', '/secret']);
    },
  },
  ...[200, 401].map(
    (status): AuthCase => ({
      what: `an auth service cannot set the console’s cookie with a ${status}`,
      labels: { forwardAuth: 'http://AUTH/verify,responseCookies=swarmgate_session mine' },
      auth: (_call, response) =>
        response.writeHead(status, { 'Set-Cookie': ['swarmgate_session=x', 'mine=1; Path=/'] }).end(),
      request: {},
      expect: (given) => expect(given.headers['set-cookie']).to.equal('mine=1; Path=/'),
    }),
  ),
  ...[{}, { requestHeaders: 'requestHeaders=Cookie' }].map(
    (options): AuthCase => ({
      what: `a login of the console reaches neither the auth service nor the service: ${Object.keys(options).join() || 'plainly'}`,
      labels: { forwardAuth: ['http://AUTH/verify', ...Object.values(options)].join() },
      auth: passes,
      request: { headers: { cookie: 'swarmgate_session=a.b.c; own=1; __Host-swarmgate_session=a.b.c' } },
      expect: (_given, { auth, backend }) => {
        for (const call of [only(auth), only(backend)]) expect(call.header('cookie')?.trim()).to.equal('own=1');
      },
    }),
  ),
  {
    what: 'no body, no condition and no range reach the auth service',
    labels: plain,
    auth: passes,
    request: {
      method: 'POST',
      body: 'secret',
      headers: { 'content-type': 'text/plain', range: 'bytes=0-1', 'if-none-match': '"x"' },
    },
    by: requests,
    expect: (given, { auth, backend }) => {
      expect(given.status).to.equal(200);
      const call = only(auth);
      expect(call.method).to.equal('GET');
      expect(call.header('x-forwarded-method')).to.equal('POST');
      expect(call.body).to.equal('');
      for (const name of ['content-length', 'transfer-encoding', 'content-type', 'range', 'if-none-match', 'expect'])
        expect(call.header(name), name).to.equal(undefined);
      expect(only(backend).body).to.equal('secret');
    },
  },
  {
    what: 'only requestHeaders reach the auth service where they are named',
    labels: { forwardAuth: 'http://AUTH/verify,requestHeaders=Cookie' },
    auth: passes,
    request: { headers: { cookie: 'a=1', authorization: 'Bearer x' } },
    expect: (_given, { auth }) => {
      expect(only(auth).header('cookie')).to.equal('a=1');
      expect(only(auth).header('authorization')).to.equal(undefined);
      expect(only(auth).header('x-forwarded-uri')).to.equal('/');
    },
  },
  {
    what: 'preserveRequestMethod sends the client’s method to the auth service, without a body',
    labels: { forwardAuth: 'http://AUTH/verify,preserveRequestMethod=true' },
    auth: passes,
    request: { method: 'DELETE' },
    by: requests,
    expect: (_given, { auth }) => expect(only(auth).method).to.equal('DELETE'),
  },
  {
    what: 'a relative Location is resolved against the auth service',
    labels: plain,
    auth: (_call, response) => response.writeHead(302, { Location: '/login' }).end(),
    request: {},
    expect: (given) => expect(given.headers.location).to.match(/^http:\/\/127\.0\.0\.1:\d+\/login$/),
  },
  {
    what: 'preserveLocationHeader keeps it',
    labels: { forwardAuth: 'http://AUTH/verify,preserveLocationHeader=true' },
    auth: (_call, response) => response.writeHead(302, { Location: '/login' }).end(),
    request: {},
    expect: (given) => expect(given.headers.location).to.equal('/login'),
  },
  {
    what: 'a binary body of a denial passes byte for byte, fields of its connection do not',
    labels: plain,
    auth: (_call, response) =>
      response
        .writeHead(403, { 'Content-Type': 'application/octet-stream', Connection: 'x-hop, close', 'X-Hop': '1' })
        .end(Buffer.from('\x00\x01é')),
    request: {},
    by: requests,
    expect: (given, seen) => {
      denied(403, 'auth-denied')(given, seen);
      expect(given.body).to.equal('\x00\x01é');
      expect(given.headers['x-hop']).to.equal(undefined);
    },
  },
  {
    what: 'HEAD gets the head of the denial',
    labels: plain,
    auth: (_call, response) => response.writeHead(403, { 'Content-Type': 'text/plain' }).end('no'),
    request: { method: 'HEAD' },
    by: requests,
    expect: (given) => {
      expect([given.status, given.body, given.headers['content-length']]).to.deep.equal([403, '', '2']);
    },
  },
  {
    what: 'a response larger than the limit closes',
    labels: { forwardAuth: 'http://AUTH/verify,maxResponseBody=10' },
    auth: (_call, response) => response.writeHead(200).end('x'.repeat(11)),
    request: {},
    expect: denied(503, 'auth-unavailable'),
  },
  {
    what: 'a response that does not come in time closes',
    labels: { forwardAuth: 'http://AUTH/verify,timeout=50ms' },
    auth: () => undefined,
    request: {},
    expect: denied(503, 'auth-unavailable'),
  },
  {
    what: 'a response whose body does not end in time closes',
    labels: { forwardAuth: 'http://AUTH/verify,timeout=50ms' },
    auth: (_call, response) => void response.writeHead(200).write('x'),
    request: {},
    expect: denied(503, 'auth-unavailable'),
  },
  {
    what: 'a response that comes byte by byte closes once its time is over',
    labels: { forwardAuth: 'http://AUTH/verify,timeout=100ms' },
    auth: (_call, response) => {
      response.writeHead(200);
      // Time itself is tested: each byte comes within 100 ms, the whole response does not.
      const drip = setInterval(() => response.write('x'), 20);
      const most = setTimeout(() => response.end(), 3_000);
      response.once('close', () => {
        clearInterval(drip);
        clearTimeout(most);
      });
    },
    request: {},
    expect: denied(503, 'auth-unavailable'),
  },
  {
    what: 'a connection that breaks closes',
    labels: plain,
    auth: (_call, response) => void response.socket?.destroy(),
    request: {},
    expect: denied(503, 'auth-unavailable'),
  },
  {
    what: 'a 304 is no decision',
    labels: plain,
    auth: (_call, response) => response.writeHead(304).end(),
    request: {},
    expect: denied(503, 'auth-unavailable'),
  },
  {
    what: 'an address that nothing listens on closes',
    labels: { forwardAuth: 'http://127.0.0.1:1/verify' },
    auth: passes,
    request: {},
    expect: denied(503, 'auth-unavailable'),
  },
  ...['127.0.0.1', '0.0.0.0', '[::1]', '[::ffff:127.0.0.1]', 'localhost.localdomain', '127.9.9.9'].map(
    (host): AuthCase => ({
      what: `the proxy itself, by ${host}, is never queried`,
      labels: { forwardAuth: `http://${host}:OWN/verify` },
      auth: passes,
      request: {},
      expect: denied(503, 'auth-unavailable'),
    }),
  ),
  ...['/a%2F..%2Fadmin', '/admin;x', '/a/..;/admin', '/a%5C..%5Cadmin', '/a//b'].map(
    (path): AuthCase => ({
      what: `${path}, which has more than one reading, is refused before the auth service is queried`,
      labels: plain,
      auth: passes,
      request: { path },
      expect: (given, seen) => {
        expect(given.status, given.body).to.equal(400);
        expect(given.headers['x-swarmgate-reason']).to.match(/^path-(ambiguous|dot-parameter)$/);
        expect([seen.auth.length, seen.backend.length]).to.deep.equal([0, 0]);
      },
    }),
  ),
  ...['/a/./b/../c?x=%2F', '/%7Euser/%C3%BC', '/A%20b?q=a+b'].map(
    (path): AuthCase => ({
      what: `the auth service gets the target of the endpoint for ${path}`,
      labels: plain,
      auth: passes,
      request: { path },
      expect: (_given, { auth, backend }) => {
        expect(only(auth).header('x-forwarded-uri')).to.equal(only(backend).url);
      },
    }),
  ),
  {
    what: 'a preflight is checked like every request',
    labels: plain,
    auth: (call, response) => response.writeHead(call.header('x-forwarded-method') === 'OPTIONS' ? 401 : 200).end(),
    request: { method: 'OPTIONS', headers: { origin: 'https://a.example', 'access-control-request-method': 'PUT' } },
    by: requests,
    expect: denied(401, 'auth-denied'),
  },
  {
    what: 'the path is stripped behind the auth service',
    labels: { forwardAuth: 'http://AUTH/verify', stripPrefix: '/api' },
    auth: passes,
    request: { path: '/api/x' },
    expect: (_given, { auth, backend }) => {
      expect(only(auth).header('x-forwarded-uri')).to.equal('/api/x');
      expect(only(backend).url).to.equal('/x');
    },
  },
  {
    what: 'two auth services of one list are queried in turn',
    labels: { middlewares: 'forwardAuth(http://AUTH/one),stripPrefix(/api),forwardAuth(http://AUTH/two)' },
    auth: passes,
    request: { path: '/api/x' },
    expect: (_given, { auth, backend }) => {
      expect(auth.map(({ url }) => url)).to.deep.equal(['/one', '/two']);
      expect(auth.map((call) => call.header('x-forwarded-uri'))).to.deep.equal(['/api/x', '/x']);
      expect(backend).to.have.length(1);
    },
  },
];
