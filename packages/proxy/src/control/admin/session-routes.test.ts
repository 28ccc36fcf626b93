import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { expect } from 'chai';
import { eventually, type ProxyUnderTest, startProxyUnderTest } from '../../../test/running-proxy.ts';

describe('a session of the console at the admin port', () => {
  let under: ProxyUnderTest;
  let origin: string;
  before(async () => {
    under = await startProxyUnderTest({ replica: 'one', env: { ADMIN_TOKEN: 's3cret' } });
    await eventually('the proxy is ready', () => under.proxy.ready());
    origin = `http://127.0.0.1:${under.proxy.admin.port}`;
  });
  after(() => under.stop());

  const call = (method: string, path: string, headers: Record<string, string> = {}, body?: unknown) =>
    fetch(origin + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const login = async () => {
    const response = await call('POST', '/v1/session', {}, { token: 's3cret' });
    expect(response.status).to.equal(200);
    return (response.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '';
  };
  const shown = async (cookie?: string) =>
    (await call('GET', '/v1/session', cookie === undefined ? {} : { Cookie: cookie })).json();

  it('is begun by the token, and tells the page what it may do', async () => {
    expect(await shown()).to.include({ login: true, endsAt: null, mayRead: false, mayChange: false });
    const cookie = await login();
    const { endsAt, ...rest } = (await shown(cookie)) as { readonly endsAt: string };
    expect(rest).to.deep.equal({ login: true, mayRead: true, mayChange: true, objection: null });
    expect(Date.parse(endsAt) - Date.now()).to.be.within(11.9 * 3_600_000, 12 * 3_600_000);
  });

  it('is not begun by another token', async () => {
    const response = await call('POST', '/v1/session', {}, { token: 'wrong' });
    expect([response.status, response.headers.get('set-cookie')]).to.deep.equal([401, null]);
    expect((await call('POST', '/v1/session', {}, {})).status).to.equal(401);
  });

  it('is not begun by a page of another origin, which could make its visitor use a session of its own', async () => {
    const response = await call('POST', '/v1/session', { Origin: 'https://evil.example' }, { token: 's3cret' });
    expect([response.status, response.headers.get('set-cookie')]).to.deep.equal([403, null]);
  });

  const paths = [
    '/v1/status',
    '/v1/services',
    '/v1/explain?url=http://a.example/',
    '/v1/history?service=a',
    '/metrics',
  ];
  for (const path of paths)
    it(`reads ${path}`, async () => {
      const cookie = await login();
      expect((await call('GET', path, { Cookie: cookie })).status).to.equal(200);
      expect((await call('GET', path)).status).to.equal(401);
    });

  const definition = { service: 'shop', destinations: [{ servicePath: ['/'], port: 1, outboundHostname: '10.0.0.7' }] };
  for (const [title, headers, status] of [
    ['of its own origin', (own: string) => ({ Origin: own }), 200],
    ['that names no origin', () => ({}), 401],
    ['of another origin', () => ({ Origin: 'https://evil.example' }), 401],
    ['of another port of this host', (own: string) => ({ Origin: own.replace(/:\d+$/, ':1') }), 401],
    ['of this host without a port', (own: string) => ({ Origin: own.replace(/:\d+$/, '') }), 401],
    ['of no origin at all', () => ({ Origin: 'null' }), 401],
    [
      'that a browser marks as one of another port',
      (own: string) => ({ Origin: own, 'Sec-Fetch-Site': 'same-site' }),
      401,
    ],
  ] as const)
    it(`changes by a call ${title}: ${status}`, async () => {
      const response = await call('POST', '/v1/reconfigure', { Cookie: await login(), ...headers(origin) }, definition);
      expect(response.status).to.equal(status);
    });

  it('changes nothing by GET, which a link or an image can cause', async () => {
    const path = '/v1/docker-flow-proxy/remove?serviceName=shop';
    expect((await call('GET', path, { Cookie: await login(), Origin: origin })).status).to.equal(401);
  });

  it('reads nothing for a page of another port of this host, which gets the cookie along', async () => {
    const headers = { Cookie: await login(), 'Sec-Fetch-Site': 'same-site' };
    expect((await call('GET', '/v1/services', headers)).status).to.equal(401);
  });

  it('holds beside other cookies of its name, which another program of this host can set for a longer path', async () => {
    const cookie = await login();
    const [, value = ''] = cookie.split('=');
    const other = `swarmgate_session=${value.slice(0, -1)}${value.endsWith('A') ? 'B' : 'A'}`;
    const Cookie = `swarmgate_session=; ${other}; swarmgate_session=junk; ${cookie}; ${other}`;
    expect((await call('GET', '/v1/status', { Cookie })).status).to.equal(200);
    expect((await call('GET', '/v1/status', { Cookie: other })).status).to.equal(401);
    expect((await call('DELETE', '/v1/session', { Cookie, Origin: origin })).status).to.equal(200);
    expect((await call('GET', '/v1/status', { Cookie })).status).to.equal(401);
  });

  it('ends with all others that the browser sends along', async () => {
    const [one, two] = [await login(), await login()];
    const out = await call('DELETE', '/v1/session', { Cookie: `${one}; ${two}`, Origin: origin });
    expect(out.status).to.equal(200);
    for (const cookie of [one, two]) expect((await call('GET', '/v1/status', { Cookie: cookie })).status).to.equal(401);
  });

  it('cannot be used again after the logout', async () => {
    const cookie = await login();
    const out = await call('DELETE', '/v1/session', { Cookie: cookie, Origin: origin });
    expect([out.status, out.headers.get('set-cookie')]).to.deep.equal([
      200,
      'swarmgate_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict',
    ]);
    expect((await call('GET', '/v1/status', { Cookie: cookie })).status).to.equal(401);
    expect((await call('DELETE', '/v1/session', { Cookie: cookie, Origin: origin })).status).to.equal(401);
  });

  it('is limited in failed tries', async () => {
    const statuses = [];
    for (let at = 0; at < 12; at += 1) statuses.push((await call('POST', '/v1/session', {}, { token: 'no' })).status);
    expect(statuses.at(-1)).to.equal(429);
    // Not even the right one is looked at then.
    expect((await call('POST', '/v1/session', {}, { token: 's3cret' })).status).to.equal(429);
  });

  it('is begun from another address all the same while failed tries flood the port, and holds', async () => {
    const cookieOf = async (token: string, localAddress: string) => {
      const sent = request(`${origin}/v1/session`, { method: 'POST', localAddress, agent: false });
      sent.setHeader('Content-Type', 'application/json').end(JSON.stringify({ token }));
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      response.resume();
      return response.headers['set-cookie']?.[0]?.split(';', 1)[0];
    };
    const flood = Promise.all(Array.from({ length: 300 }, (_, at) => cookieOf(`guess-${at}`, '127.0.0.3')));
    const cookie = await cookieOf('s3cret', '127.0.0.2');
    expect(cookie).to.match(/^swarmgate_session=./);
    expect((await call('GET', '/v1/status', { Cookie: cookie ?? '' })).status).to.equal(200);
    expect(new Set(await flood)).to.deep.equal(new Set([undefined]));
    expect(await cookieOf('s3cret', '127.0.0.3')).to.equal(undefined);
  });
});

describe('a session where no ADMIN_TOKEN is set', () => {
  it('cannot be begun, and the page of this port may change what this machine may', async () => {
    const under = await startProxyUnderTest({ replica: 'one' });
    const origin = `http://127.0.0.1:${under.proxy.admin.port}`;
    try {
      const refused = await fetch(`${origin}/v1/session`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{"token":"x"}',
      });
      expect(refused.status).to.equal(409);
      const own = { Origin: origin, 'Sec-Fetch-Site': 'same-origin' };
      expect(await (await fetch(`${origin}/v1/session`, { headers: own })).json()).to.include({ mayChange: true });
      const foreign = { Origin: 'http://127.0.0.1:1' };
      expect(await (await fetch(`${origin}/v1/session`, { headers: foreign })).json()).to.include({ mayChange: false });
    } finally {
      await under.stop();
    }
  });
});
