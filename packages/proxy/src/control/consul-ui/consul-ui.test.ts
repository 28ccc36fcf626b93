import { createServer } from 'node:net';
import { PassThrough } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { createLogger, type Logger, readSettings } from '@swarmgate/runtime';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { RawClient } from '../../../test/raw-client.ts';
import { type ScriptedConsul, startScriptedConsul } from '../../../test/scripted-consul.ts';
import { until } from '../../../test/until.ts';
import { ownPorts } from '../../endpoints/own-ports.ts';
import { type ConsulUi, type ConsulUiOptions, startConsulUi } from './consul-ui.ts';

const adminToken = 'the-admin-token';
const uiToken = 'the-ui-token';
const bearer = `Authorization: Bearer ${adminToken}\r\n`;
const basic = `Authorization: Basic ${Buffer.from(`ops:${adminToken}`).toString('base64')}\r\n`;
const key = '/v1/kv/swarmgate/services/manual/legacy';

describe('Consul’s UI behind the admin token', () => {
  let consul: ScriptedConsul;
  let ui: ConsulUi;
  let logged: string[];
  let logger: Logger;
  const clients: RawClient[] = [];

  beforeEach(async () => {
    logged = [];
    const destination = new PassThrough().setEncoding('utf8').on('data', (line: string) => logged.push(line));
    logger = createLogger({ level: 'debug', destination });
    consul = await startScriptedConsul();
    ui = await start();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await ui.stop();
    await consul.stop();
    // Whatever happened in a test.
    expect(logged.join('')).to.not.include(adminToken).and.not.include(uiToken);
  });

  function start(
    limits: ConsulUiOptions['limits'] = {},
    env: Readonly<Record<string, string>> = { CONSUL_UI_INSECURE: 'true' },
  ): Promise<ConsulUi> {
    const settings = readSettings('proxy', {
      env: {
        CONSUL_HTTP_ADDR: `127.0.0.1:${consul.port}`,
        ADMIN_TOKEN: adminToken,
        CONSUL_UI_TOKEN: uiToken,
        ...env,
      },
    });
    return startConsulUi({ settings, port: 0, logger, limits });
  }
  const restart = async (...how: Parameters<typeof start>) => {
    await ui.stop();
    ui = await start(...how);
  };
  const dial = () => {
    const client = new RawClient(ui.port);
    clients.push(client);
    return client;
  };
  const head = (line: string, fields = bearer) => `${line} HTTP/1.1\r\nHost: ui.example:${ui.port}\r\n${fields}\r\n`;
  const call = async (line: string, fields = bearer, body = '') => {
    const client = dial();
    client.send(head(line, fields) + body);
    return client.response(line.split(' ')[0]);
  };

  it('forwards to those who log in, by bearer or by basic authentication', async () => {
    for (const fields of [bearer, basic]) {
      const { status, body } = await call('GET /v1/kv/a', fields);
      expect([status, body]).to.deep.equal([200, '{}']);
    }
    expect(consul.calls.map(({ headers }) => headers['x-consul-token'])).to.deep.equal([uiToken, uiToken]);
  });

  it('asks all others for credentials, and Consul gets nothing of it', async () => {
    for (const fields of [
      '',
      'Authorization: Bearer wrong\r\n',
      'X-Consul-Token: own\r\n',
      `Cookie: t=${adminToken}\r\n`,
    ])
      for (const path of ['/', '/ui/', '/v1/kv/a', `/v1/kv/a?token=${adminToken}`]) {
        const response = await call(`GET ${path}`, fields);
        expect(response.status).to.equal(401);
        expect(response.header('www-authenticate')).to.include('Basic');
      }
    expect(consul.calls).to.have.length(0);
  });

  it('limits failed tries, and counts none that a page of another origin makes', async () => {
    const wrong = 'Authorization: Bearer wrong\r\n';
    for (let tries = 0; tries < 20; tries += 1)
      expect((await call('GET /v1/kv/a', `${wrong}Origin: http://evil.example\r\n`)).status).to.equal(403);
    expect((await call('GET /v1/kv/a')).status).to.equal(200);
    for (let tries = 0; tries < 10; tries += 1) expect((await call('GET /v1/kv/a', wrong)).status).to.equal(401);
    const limited = await call('GET /v1/kv/a', wrong);
    expect([limited.status, limited.header('retry-after')]).to.deep.equal([429, '6']);
    expect((await call('GET /v1/kv/a')).status).to.equal(429);
    expect(consul.calls).to.have.length(1);
    expect(logged.join('')).to.include('tries-limited');
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
        expect((await call(`${method} ${key}`, basic + fields)).status, `${method} ${fields}`).to.equal(403);
    expect(consul.calls).to.have.length(0);
    const own = `Origin: http://ui.example:${ui.port}\r\nSec-Fetch-Site: same-origin\r\n`;
    expect((await call(`PUT ${key}`, `${basic}${own}Content-Length: 1\r\n`, '1')).status).to.equal(200);
  });

  it('sends Consul neither our credentials nor cookies, and no token but the right one', async () => {
    const fields =
      `${basic}Cookie: session=1\r\nProxy-Authorization: Basic x\r\nX-Consul-Token:\r\nConnection: x-consul-token\r\n` +
      `Forwarded: for=1\r\nX-Forwarded-For: 1\r\nTE: trailers\r\nUpgrade-Insecure-Requests: 1\r\nAccept: text/html\r\n`;
    await call('GET /ui/', fields);
    await call('GET /v1/kv/a', `${bearer}X-Consul-Token: a-person\r\n`);
    const [first, second] = consul.calls;
    const names = (first?.raw ?? []).filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
    expect(names.sort()).to.deep.equal(['accept', 'connection', 'host', 'x-consul-token']);
    expect(first?.headers).to.deep.include({ 'x-consul-token': uiToken, host: `127.0.0.1:${consul.port}` });
    expect(first?.headers.connection).to.equal('keep-alive');
    expect(second?.headers['x-consul-token']).to.equal('a-person');
  });

  it('replaces the credentials of a call that expects 100-continue, and asks for no body before it is allowed', async () => {
    const expecting = 'Expect: 100-continue\r\nContent-Length: 2\r\n';
    const refused = await call(`PUT ${key}`, expecting);
    expect([refused.status, refused.header('connection')]).to.deep.equal([401, 'close']);
    const client = dial();
    client.send(head(`PUT ${key}`, bearer + expecting));
    expect((await client.response()).status).to.equal(100);
    client.send('{}');
    expect((await client.response()).status).to.equal(200);
    expect(consul.calls).to.have.length(1);
    expect(consul.calls[0]?.body).to.equal('{}');
    expect(consul.calls[0]?.headers).to.include({ 'x-consul-token': uiToken }).and.not.have.property('authorization');
  });

  it('protects what it shows: no frames, no other sources, no cookies, nothing for other origins', async () => {
    consul.respondWith((request, response) => {
      response.writeHead(200, {
        'Access-Control-Allow-Origin': '*',
        'Set-Cookie': 'a=b',
        'Content-Type': 'text/html',
        'X-Consul-Index': '7',
        ...(request.url?.startsWith('/v1') ? { 'Content-Security-Policy': 'sandbox' } : {}),
      });
      response.end('<script>');
    });
    const page = await call('GET /ui/');
    expect(page.header('content-security-policy'))
      .to.include("default-src 'self'")
      .and.include("frame-ancestors 'none'");
    expect(page.header('cache-control')).to.equal('private, no-cache');
    const data = await call('GET /v1/kv/a?raw');
    expect(data.headers.filter((each) => /sandbox/.test(each))).to.have.length(2);
    expect(data.header('cache-control')).to.equal('no-store');
    for (const response of [page, data, await call('GET /v1/kv/a', '')]) {
      expect(response.header('x-frame-options')).to.equal('DENY');
      expect(response.header('x-content-type-options')).to.equal('nosniff');
      expect(response.header('set-cookie')).to.equal(undefined);
      expect(response.header('access-control-allow-origin')).to.equal(undefined);
    }
    expect(data.header('x-consul-index')).to.equal('7');
  });

  it('keeps a connection for the next call, and ends it where the client asks for it', async () => {
    const client = dial();
    client.send(head('GET /v1/kv/a'));
    expect((await client.response()).status).to.equal(200);
    client.send(head('HEAD /v1/kv/b'));
    expect((await client.response('HEAD')).status).to.equal(200);
    client.send(head('GET /v1/kv/c', `${bearer}Connection: close\r\n`));
    const last = await client.response();
    expect([last.status, last.header('connection')]).to.deep.equal([200, 'close']);
    await client.end();
  });

  it('is 502 while Consul is away, and serves again when it is back', async () => {
    expect((await call('GET /v1/kv/a')).status).to.equal(200);
    const { port } = consul;
    await consul.stop();
    const away = await call(`PUT ${key}`, `${bearer}Content-Length: 2\r\n`, '{}');
    expect([away.status, away.header('x-swarmgate-reason')]).to.deep.equal([502, 'consul-unreachable']);
    expect(away.body).to.include(`Consul at 127.0.0.1:${port} is unreachable (ECONNREFUSED)`);
    const socket = await call(
      'GET /v1/echo',
      `${bearer}X-Consul-Token: a-person\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`,
    );
    expect([socket.status, socket.header('x-swarmgate-reason')]).to.deep.equal([502, 'consul-unreachable']);
    consul = await startScriptedConsul(port);
    expect((await call('GET /v1/kv/a')).status).to.equal(200);
  });

  it('is 504 where Consul does not respond in time, and 502 where it breaks off', async () => {
    await restart({ silenceMs: 50 });
    consul.respondWith(() => undefined);
    const silent = await call('GET /v1/kv/a');
    expect([silent.status, silent.header('x-swarmgate-reason')]).to.deep.equal([504, 'consul-timeout']);
    consul.respondWith((request) => request.socket.destroy());
    expect((await call('GET /v1/kv/a')).status).to.equal(502);
    consul.respondWith((request, response) => {
      response.writeHead(200, { 'Content-Length': 10 });
      response.write('12345', () => request.socket.destroy());
    });
    const client = dial();
    client.send(head('GET /v1/kv/a'));
    await client.end();
    expect(client.received).to.match(/12345$/);
  });

  it('is 504 where a connection to Consul is never made', async () => {
    // Accepts, and begins no TLS.
    const mute = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const { port } = mute.address() as { port: number };
    await restart(
      { connectMs: 50 },
      { CONSUL_UI_INSECURE: 'true', CONSUL_HTTP_ADDR: `127.0.0.1:${port}`, CONSUL_HTTP_SSL: 'true' },
    );
    expect((await call('GET /v1/kv/a')).status).to.equal(504);
    mute.close();
  });

  it('ends a blocking query at Consul when its client leaves', async () => {
    consul.respondWith(() => undefined);
    const client = dial();
    client.send(head('GET /v1/kv/a?index=7&wait=5m'));
    await until(() => consul.calls.length === 1, 'the query');
    expect(consul.calls[0]?.target).to.equal('/v1/kv/a?index=7&wait=5m');
    client.destroy();
    await until(() => consul.abandoned() === 1, 'its end at Consul');
  });

  it('frees the place of a client that does not read its response', async () => {
    await restart({ callsInFlight: 1, idleMs: 100 });
    const size = 64 * 1024 * 1024;
    consul.respondWith((_request, response) => {
      response.writeHead(200, { 'Content-Length': size });
      response.end(Buffer.alloc(size));
    });
    const client = dial();
    client.socket.pause();
    client.send(head('GET /v1/kv/?recurse'));
    await until(() => consul.calls.length === 1, 'the call');
    consul.respondWith((_request, response) => response.end('{}'));
    await until(async () => (await call('GET /v1/kv/a')).status === 200, 'room for a call');
    await until(() => consul.abandoned() === 1, 'its end at Consul');
  });

  it('limits calls in flight, blocking queries and WebSockets included', async () => {
    await restart({ callsInFlight: 2 });
    const socket = new WebSocket(`ws://127.0.0.1:${ui.port}/v1/echo`, webSocketOptions());
    await new Promise((resolve) => socket.once('open', resolve));
    let finish = () => {};
    consul.respondWith((_request, response) => {
      finish = () => response.end('{}');
    });
    const waiting = dial();
    waiting.send(head('GET /v1/kv/a?index=1'));
    await until(() => consul.calls.length === 2, 'the query');
    const beyond = await call('GET /v1/kv/a');
    expect([beyond.status, beyond.header('x-swarmgate-reason')]).to.deep.equal([503, 'too-many-calls']);
    finish();
    await waiting.response();
    consul.respondWith((_request, response) => response.end('{}'));
    await until(async () => (await call('GET /v1/kv/a')).status === 200, 'room for a call');
    socket.terminate();
  });

  const webSocketOptions = (more: Readonly<Record<string, string>> = {}) => ({
    headers: { Authorization: `Bearer ${adminToken}`, 'X-Consul-Token': 'a-person', Cookie: 'a=b', ...more },
  });

  it('carries WebSockets, of its own origin and after the login only', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${ui.port}/v1/echo`, {
      ...webSocketOptions(),
      origin: `http://127.0.0.1:${ui.port}`,
    });
    await new Promise((resolve) => socket.once('open', resolve));
    const echoed = new Promise((resolve) => socket.once('message', (message) => resolve(message.toString())));
    socket.send('hello');
    expect(await echoed).to.equal('hello');
    const [{ headers } = { headers: {} }] = consul.calls;
    expect(headers).to.include({ 'x-consul-token': 'a-person' }).and.not.have.any.keys('authorization', 'cookie');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await ui.stop();
    await closed;
    ui = await start();
    for (const [fields, status] of [
      ['Connection: Upgrade\r\nUpgrade: websocket\r\n', 401],
      [`${basic}Origin: https://evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`, 403],
      [`${basic}Connection: Upgrade\r\nUpgrade: h2c\r\n`, 400],
      [`${basic}Connection: Upgrade\r\nUpgrade: websocket\r\n`, 403],
      [`${basic}X-Consul-Token: a-person\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`, 403],
    ] as const) {
      const response = await call('GET /v1/other', fields);
      expect(response.status, fields).to.equal(status);
      expect(response.header('set-cookie')).to.equal(undefined);
    }
    expect((await call('PUT /v1/echo', `${basic}Connection: Upgrade\r\nUpgrade: websocket\r\n`)).status).to.equal(400);
  });

  it('bounds heads, bodies and the time they take', async () => {
    await restart({ headMs: 50, requestMs: 150, checkMs: 20 });
    expect((await call('GET /v1/kv/a', `${bearer}X: ${'x'.repeat(17_000)}\r\n`)).status).to.equal(431);
    expect((await call(`PUT ${key}`, `${bearer}Content-Length: 524289\r\n`)).status).to.equal(413);
    expect(
      (await call(`PUT ${key}`, `${bearer}Transfer-Encoding: chunked\r\n`, '1\r\na\r\n0\r\n\r\n')).status,
    ).to.equal(411);
    const slowHead = dial();
    slowHead.send('GET /v1/kv/a HTTP/1.1\r\nHost:');
    expect((await slowHead.response()).status).to.equal(408);
    const before = consul.calls.length;
    const slowBody = dial();
    slowBody.send(head(`PUT ${key}`, `${bearer}Content-Length: 5\r\n`));
    slowBody.send('12');
    await slowBody.end();
    await until(() => consul.abandoned() === 1, 'the end of the call at Consul');
    expect(consul.calls.length - before).to.equal(1);
  });

  it('leaves room for a login under connections that stay silent', async () => {
    await restart({ connections: 4 });
    const silent = Array.from({ length: 100 }, dial);
    await until(() => silent.filter(({ over }) => over).length >= 30, 'the oldest to be closed');
    expect((await call('GET /v1/kv/a')).status).to.equal(200);
  });

  it('takes a body for a body, whatever it holds', async () => {
    const inner = head('GET /v1/kv/secret');
    const client = dial();
    client.send(head(`PUT ${key}`, `${bearer}Content-Length: ${inner.length}\r\n`) + inner);
    expect((await client.response()).status).to.equal(200);
    client.send(head('GET /v1/kv/b'));
    await client.response();
    expect(consul.calls.map(({ target }) => target)).to.deep.equal([key, '/v1/kv/b']);
    expect(consul.calls[0]?.body).to.equal(inner);
  });

  it('refuses heads whose end or length could be read in two ways', async () => {
    for (const fields of [
      'Content-Length: 1\r\nContent-Length: 2\r\n',
      'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n',
      'Content-Length : 1\r\n',
      'Content-Length: +1\r\n',
      'Transfer-Encoding: xchunked\r\n',
      ' X-Consul-Token: a\r\n',
      'X-Consul-Token: a\rb\r\n',
      'X-Consul-Token: a\r\nX-Consul-Token: b\r\n',
      'Host: other.example\r\n',
    ]) {
      const { status } = await call(`PUT ${key}`, bearer + fields, '0\r\n\r\n');
      expect(status, JSON.stringify(fields)).to.be.oneOf([400, 411]);
    }
    expect(consul.calls).to.have.length(0);
  });

  it('logs who changed what, and no path that may hold a token', async () => {
    await call(`PUT ${key}?cas=1`, `${bearer}Content-Length: 0\r\n`);
    await call('PUT /v1/acl/destroy/a-secret', `${bearer}X-Consul-Token: a-person\r\nContent-Length: 0\r\n`);
    await until(() => logged.filter((line) => line.includes('changed through')).length === 2, 'both lines');
    const [first = '', second = ''] = logged.filter((line) => line.includes('changed through'));
    expect(first).to.include(key).and.include('"tokenOf":"ui"').and.not.include('cas');
    expect(second)
      .to.include('/v1/acl')
      .and.include('"tokenOf":"person"')
      .and.not.include('a-secret')
      .and.not.include('a-person');
  });

  it('speaks TLS unless CONSUL_UI_INSECURE says otherwise', async () => {
    await restart({}, {});
    const plain = dial();
    plain.send(head('GET /v1/kv/a'));
    await plain.end();
    expect(plain.received).to.not.include('HTTP/');
    expect(consul.calls).to.have.length(0);
    const secure = connectTls({ port: ui.port, host: '127.0.0.1', rejectUnauthorized: false });
    let received = '';
    secure.on('data', (bytes) => {
      received += bytes.toString();
    });
    secure.write(head('GET /v1/kv/a', `${basic}Origin: https://ui.example:${ui.port}\r\nConnection: close\r\n`));
    await until(() => received.includes('{}'), 'the response');
    expect(received).to.include('200 OK');
    secure.destroy();
  });

  it('counts as a port of the proxy itself as long as it is open', async () => {
    const { port } = ui;
    expect(ownPorts.has(port)).to.equal(true);
    await ui.stop();
    expect(ownPorts.has(port)).to.equal(false);
  });

  it('needs a token and a Consul', async () => {
    for (const env of [{ ADMIN_TOKEN: '' }, { CONSUL_HTTP_ADDR: '' }])
      await start({}, env).then(
        () => expect.fail('it opened'),
        (error: Error) => expect(error.message).to.include('CONSUL_UI_PORT needs'),
      );
  });
});
