import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { adminToken, basic, bearer, ConsulUiRig, key, uiToken } from '../../../test/consul-ui-rig.ts';
import { until } from '../../../test/until.ts';
import { ownPorts } from '../../endpoints/own-ports.ts';

describe('Consul’s UI behind the admin token', () => {
  let rig: ConsulUiRig;
  beforeEach(async () => {
    rig = await ConsulUiRig.start();
  });
  afterEach(() => rig.stop());

  const webSocketOptions = (more: Readonly<Record<string, string>> = {}) => ({
    headers: { Authorization: `Bearer ${adminToken}`, 'X-Consul-Token': 'a-person', Cookie: 'a=b', ...more },
  });

  it('forwards to those who log in, by bearer or by basic authentication', async () => {
    for (const fields of [bearer, basic]) {
      const { status, body } = await rig.call('GET /v1/kv/a', fields);
      expect([status, body]).to.deep.equal([200, '{}']);
    }
    expect(rig.consul.calls.map(({ headers }) => headers['x-consul-token'])).to.deep.equal([uiToken, uiToken]);
  });

  it('requests credentials of all others, and Consul gets nothing of it', async () => {
    for (const fields of [
      '',
      'Authorization: Bearer wrong\r\n',
      'X-Consul-Token: own\r\n',
      `Cookie: t=${adminToken}\r\n`,
    ])
      for (const path of ['/', '/ui/', '/v1/kv/a', `/v1/kv/a?token=${adminToken}`]) {
        const response = await rig.call(`GET ${path}`, fields);
        expect(response.status).to.equal(401);
        expect(response.header('www-authenticate')).to.include('Basic');
      }
    expect(rig.consul.calls).to.have.length(0);
  });

  it('limits failed tries, and counts none that a page of another origin makes', async () => {
    const wrong = 'Authorization: Bearer wrong\r\n';
    for (let tries = 0; tries < 20; tries += 1)
      expect((await rig.call('GET /v1/kv/a', `${wrong}Origin: http://evil.example\r\n`)).status).to.equal(403);
    expect((await rig.call('GET /v1/kv/a')).status).to.equal(200);
    for (let tries = 0; tries < 10; tries += 1) expect((await rig.call('GET /v1/kv/a', wrong)).status).to.equal(401);
    const limited = await rig.call('GET /v1/kv/a', wrong);
    expect([limited.status, limited.header('retry-after')]).to.deep.equal([429, '6']);
    expect((await rig.call('GET /v1/kv/a')).status).to.equal(429);
    expect(rig.consul.calls).to.have.length(1);
    expect(rig.logged.join('')).to.include('tries-limited');
  });

  it('refuses a page of another origin whose browser remembers the credentials', async () => {
    for (const fields of [
      'Origin: https://evil.example\r\n',
      'Origin: null\r\n',
      'Sec-Fetch-Site: cross-site\r\n',
      'Sec-Fetch-Site: same-site\r\n',
      'Referer: https://evil.example/\r\n',
    ])
      for (const method of ['GET', 'PUT', 'POST', 'DELETE', 'OPTIONS'])
        expect((await rig.call(`${method} ${key}`, basic + fields)).status, `${method} ${fields}`).to.equal(403);
    expect(rig.consul.calls).to.have.length(0);
    const own = `Origin: http://ui.example:${rig.port}\r\nSec-Fetch-Site: same-origin\r\n`;
    expect((await rig.call(`PUT ${key}`, `${basic}${own}Content-Length: 1\r\n`, '1')).status).to.equal(200);
  });

  it('sends Consul neither our credentials nor cookies, and no token but the right one', async () => {
    const fields =
      `${basic}Cookie: session=1\r\nProxy-Authorization: Basic x\r\nX-Consul-Token:\r\nConnection: x-consul-token\r\n` +
      `Forwarded: for=1\r\nX-Forwarded-For: 1\r\nTE: trailers\r\nUpgrade-Insecure-Requests: 1\r\nAccept: text/html\r\n`;
    await rig.call('GET /ui/', fields);
    await rig.call('GET /v1/kv/a', `${bearer}X-Consul-Token: a-person\r\n`);
    const [first, second] = rig.consul.calls;
    const names = (first?.raw ?? []).filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
    expect(names.sort()).to.deep.equal(['accept', 'connection', 'host', 'x-consul-token']);
    expect(first?.headers).to.deep.include({ 'x-consul-token': uiToken, host: `127.0.0.1:${rig.consul.port}` });
    expect(first?.headers.connection).to.equal('keep-alive');
    expect(second?.headers['x-consul-token']).to.equal('a-person');
  });

  it('replaces the credentials of a call that expects 100-continue, and requests no body before it is allowed', async () => {
    const expecting = 'Expect: 100-continue\r\nContent-Length: 2\r\n';
    const refused = await rig.call(`PUT ${key}`, expecting);
    expect([refused.status, refused.header('connection')]).to.deep.equal([401, 'close']);
    const client = rig.dial();
    client.send(rig.head(`PUT ${key}`, bearer + expecting));
    expect((await client.response()).status).to.equal(100);
    client.send('{}');
    expect((await client.response()).status).to.equal(200);
    expect(rig.consul.calls).to.have.length(1);
    expect(rig.consul.calls[0]?.body).to.equal('{}');
    expect(rig.consul.calls[0]?.headers)
      .to.include({ 'x-consul-token': uiToken })
      .and.not.have.property('authorization');
  });

  it('protects what it shows: no frames, no other sources, no cookies, nothing for other origins', async () => {
    rig.consul.respondWith((request, response) => {
      response.writeHead(200, {
        'Access-Control-Allow-Origin': '*',
        'Set-Cookie': 'a=b',
        'Content-Type': 'text/html',
        'X-Consul-Index': '7',
        ...(request.url?.startsWith('/v1') ? { 'Content-Security-Policy': 'sandbox' } : {}),
      });
      response.end('<script>');
    });
    const page = await rig.call('GET /ui/');
    expect(page.header('content-security-policy'))
      .to.include("default-src 'self'")
      .and.include("frame-ancestors 'none'");
    expect(page.header('cache-control')).to.equal('private, no-cache');
    const data = await rig.call('GET /v1/kv/a?raw');
    expect(data.headers.filter((each) => /sandbox/.test(each))).to.have.length(2);
    expect(data.header('cache-control')).to.equal('no-store');
    for (const response of [page, data, await rig.call('GET /v1/kv/a', '')]) {
      expect(response.header('x-frame-options')).to.equal('DENY');
      expect(response.header('x-content-type-options')).to.equal('nosniff');
      expect(response.header('set-cookie')).to.equal(undefined);
      expect(response.header('access-control-allow-origin')).to.equal(undefined);
    }
    expect(data.header('x-consul-index')).to.equal('7');
  });

  it('keeps a connection for the next call, and ends it where the client requests it', async () => {
    const client = rig.dial();
    client.send(rig.head('GET /v1/kv/a'));
    expect((await client.response()).status).to.equal(200);
    client.send(rig.head('HEAD /v1/kv/b'));
    expect((await client.response('HEAD')).status).to.equal(200);
    client.send(rig.head('GET /v1/kv/c', `${bearer}Connection: close\r\n`));
    const last = await client.response();
    expect([last.status, last.header('connection')]).to.deep.equal([200, 'close']);
    await client.end();
  });

  it('carries WebSockets, of its own origin and after the login only', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${rig.port}/v1/echo`, {
      ...webSocketOptions(),
      origin: `http://127.0.0.1:${rig.port}`,
    });
    await new Promise((resolve) => socket.once('open', resolve));
    const echoed = new Promise((resolve) => socket.once('message', (message) => resolve(message.toString())));
    socket.send('hello');
    expect(await echoed).to.equal('hello');
    const [{ headers } = { headers: {} }] = rig.consul.calls;
    expect(headers).to.include({ 'x-consul-token': 'a-person' }).and.not.have.any.keys('authorization', 'cookie');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await rig.stopUi();
    await closed;
    await rig.restart();
    for (const [fields, status] of [
      ['Connection: Upgrade\r\nUpgrade: websocket\r\n', 401],
      [`${basic}Origin: https://evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`, 403],
      [`${basic}Connection: Upgrade\r\nUpgrade: h2c\r\n`, 400],
      [`${basic}Connection: Upgrade\r\nUpgrade: websocket\r\n`, 403],
      [`${basic}X-Consul-Token: a-person\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`, 403],
    ] as const) {
      const response = await rig.call('GET /v1/other', fields);
      expect(response.status, fields).to.equal(status);
      expect(response.header('set-cookie')).to.equal(undefined);
    }
    expect((await rig.call('PUT /v1/echo', `${basic}Connection: Upgrade\r\nUpgrade: websocket\r\n`)).status).to.equal(
      400,
    );
  });

  it('logs who changed what, and no path that may hold a token', async () => {
    await rig.call(`PUT ${key}?cas=1`, `${bearer}Content-Length: 0\r\n`);
    await rig.call('PUT /v1/acl/destroy/a-secret', `${bearer}X-Consul-Token: a-person\r\nContent-Length: 0\r\n`);
    await until(() => rig.logged.filter((line) => line.includes('changed through')).length === 2, 'both lines');
    const [first = '', second = ''] = rig.logged.filter((line) => line.includes('changed through'));
    expect(first).to.include(key).and.include('"tokenOf":"ui"').and.not.include('cas');
    expect(second)
      .to.include('/v1/acl')
      .and.include('"tokenOf":"person"')
      .and.not.include('a-secret')
      .and.not.include('a-person');
  });

  it('serves TLS unless CONSUL_UI_INSECURE is set', async () => {
    await rig.restart({}, {});
    const plain = rig.dial();
    plain.send(rig.head('GET /v1/kv/a'));
    await plain.end();
    expect(plain.received).to.not.include('HTTP/');
    expect(rig.consul.calls).to.have.length(0);
    const secure = connectTls({ port: rig.port, host: '127.0.0.1', rejectUnauthorized: false });
    let received = '';
    secure.on('data', (bytes) => {
      received += bytes.toString();
    });
    secure.write(rig.head('GET /v1/kv/a', `${basic}Origin: https://ui.example:${rig.port}\r\nConnection: close\r\n`));
    await until(() => received.includes('{}'), 'the response');
    expect(received).to.include('200 OK');
    secure.destroy();
  });

  it('counts as a port of the proxy itself as long as it is open', async () => {
    const { port } = rig;
    expect(ownPorts.has(port)).to.equal(true);
    await rig.stopUi();
    expect(ownPorts.has(port)).to.equal(false);
  });

  it('needs a token and a Consul', async () => {
    for (const env of [{ ADMIN_TOKEN: '' }, { CONSUL_HTTP_ADDR: '' }])
      await rig.open({}, env).then(
        () => expect.fail('it opened'),
        (error: Error) => expect(error.message).to.include('CONSUL_UI_PORT needs'),
      );
  });
});
