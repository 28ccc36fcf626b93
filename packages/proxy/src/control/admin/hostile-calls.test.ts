import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { expect } from 'chai';
import { eventually, type ProxyUnderTest, startProxyUnderTest } from '../../../test/running-proxy.ts';
import { openAdminServer } from './admin-server.ts';

const reconfigure = '/v1/docker-flow-proxy/reconfigure';
const json = { 'content-type': 'application/json' };

/** What a peer that sends these bytes reads until the end. */
async function responseTo(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  socket.write(bytes, 'latin1');
  await once(socket, 'close');
  return text;
}

describe('calls on one connection of the admin port', () => {
  const one = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

  for (const [count, most, isClosed] of [
    [16, 16, false],
    [1_000, 16, true],
  ] as const)
    it(`${count} in a packet: begins ${most}${isClosed ? ', and closes it' : ''}`, async () => {
      const admin = await openAdminServer('127.0.0.1', 0);
      const held: ServerResponse[] = [];
      admin.respondWith((_request, response) => held.push(response));
      const socket = connect(admin.port, '127.0.0.1').on('error', () => undefined);
      try {
        socket.resume().write(one.repeat(count));
        if (isClosed) await once(socket, 'close');
        else await eventually('all have begun', () => held.length === count);
        expect(held).to.have.length(most);
      } finally {
        socket.destroy();
        await admin.stop();
      }
    });

  it('as many as are sent one after the other', async () => {
    const admin = await openAdminServer('127.0.0.1', 0);
    admin.respondWith((_request, response) => response.end('well'));
    const socket = connect(admin.port, '127.0.0.1').setEncoding('utf8');
    try {
      for (let times = 0; times < 100; times += 1) {
        socket.write(one);
        const [text] = await once(socket, 'data');
        expect(text).to.include('200 OK');
      }
    } finally {
      socket.destroy();
      await admin.stop();
    }
  });
});

describe('hostile calls', () => {
  let under: ProxyUnderTest;
  before(async () => {
    under = await startProxyUnderTest({ replica: 'one' });
    await eventually('the proxy is ready', () => under.proxy.ready());
  });
  after(() => under.stop());

  const services = async () => {
    const read = await under.registry.read(under.signal);
    return read.kind === 'snapshot' ? [...read.snapshot.services.keys()] : [];
  };

  const bodies = [
    ['{', json, 400, 'the body is not JSON'],
    ['[]', json, 400, 'the body is an array: expected a JSON object such as {"service"'],
    ['"shop"', json, 400, 'the body is text: expected a JSON object'],
    ['null', json, 400, 'the body is null'],
    ['{"service":5}', json, 400, 'service is 5: expected the name'],
    ['{"service":"x"}', json, 400, 'destinations is not set: expected array'],
    [
      '{"service":"x","destinations":[{"port":"eighty"}]}',
      json,
      400,
      'destinations.0.port is "eighty": expected number',
    ],
    [`{"service":"${'x'.repeat(201)}"}`, json, 400, 'service has 201 characters: expected at most 200'],
    ['service=x', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'sent as application/x-www-form-url'],
    ['{"service":"x"}', {}, 415, 'without Content-Type'],
    ['{}', { ...json, 'content-encoding': 'gzip' }, 400, 'the call cannot be read'],
    [`"${'x'.repeat(600_000)}"`, json, 413, 'larger than 524288 bytes'],
  ] as const;
  for (const [body, headers, status, named] of bodies)
    it(`refuses a body of ${body.slice(0, 50)} (${JSON.stringify(headers)}) with ${status}, and says why`, async () => {
      const reply = await under.call('POST', '/v1/reconfigure', { headers, body });
      expect(reply.status).to.equal(status);
      expect(reply.body).to.have.property('Status', 'NOK');
      expect(reply.body.Message).to.be.a('string').that.includes(named);
    });

  const calls = [
    ['GET', `${reconfigure}?serviceName=%FF%FE&servicePath=/x&port=80`, 400, '%FF%FE, which is no UTF-8'],
    ['GET', `${reconfigure}?serviceName=a&serviceName=b&servicePath=/x&port=80`, 400, 'serviceName is given twice'],
    ['GET', `${reconfigure}?serviceName=${'x'.repeat(201)}&servicePath=/x&port=80`, 400, 'has 201 characters'],
    ['GET', `${reconfigure}?serviceName=..%2F..%2Fhead&servicePath=/x&port=80`, 400, 'serviceName is "../../head"'],
    ['GET', '/v1/docker-flow-proxy/remove?serviceName=..%2Fhead', 400, 'serviceName is "../head": expected letters'],
    ['GET', '/v1/docker-flow-proxy/reload?force=maybe', 400, 'force is "maybe": expected true or false'],
    ['POST', '/v1/remove?service=a%2Fb', 400, 'service is "a/b"'],
    ['POST', '/v1/reload?owner=..%2Fx', 400, 'owner is "../x"'],
    ['POST', '/v1/rollback?service=..%2Fx', 400, 'service is "../x"'],
    ['POST', '/v1/rollback?service=x&owner=a%2Fb', 400, 'owner is "a/b"'],
    ['POST', '/v1/rollback?service=x&to=99999999999999999999', 400, 'to is not the number'],
    ['POST', '/v1/rollback?service=x&to=999', 404, 'manual/x has no history'],
    ['GET', '/v1/history?service=..%2Fhead', 400, 'service is "../head"'],
    ['GET', '/v1/explain?url=http://x/&port=65536', 400, 'port is not a number'],
    ['GET', '/v1/explain?url=http://x/&method=G%0AET', 400, 'method is not'],
    ['GET', '/v1/explain?url=http://x/&header=a%0D%0Ab:c', 400, 'is not Name:value'],
    ['GET', '/v1/%FF', 404, 'nothing at /v1/%FF'],
    ['GET', '/v1/../v1/status', 404, 'nothing at'],
    ['DELETE', '/v1/reconfigure', 405, '/v1/reconfigure takes POST, not DELETE'],
    ['POST', '/v1/status', 405, '/v1/status takes GET, HEAD, not POST'],
  ] as const;
  for (const [method, path, status, named] of calls)
    it(`responds to ${method} ${path.slice(0, 70)} with ${status}, and says why`, async () => {
      const reply = await under.call(method, path);
      expect(reply.status).to.equal(status);
      expect(reply.body.Message).to.be.a('string').that.includes(named);
    });

  it('names the methods that it would take', async () => {
    expect((await under.call('PUT', '/v1/routes')).headers.allow).to.equal('GET, HEAD');
  });

  it('keeps nothing of all that', async () => {
    expect(await services()).to.deep.equal([]);
  });

  it('takes a name of the prototype for a header like any other', async () => {
    const { body } = await under.call('GET', '/v1/explain?url=http://x/&header=__proto__:yes');
    expect(JSON.stringify(body.request)).to.include('"__proto__":"yes"');
  });

  it('shows nothing to a page that points its own name at this machine', async () => {
    for (const path of ['/v1/services', '/v1/routes', '/metrics', '/v1/docker-flow-proxy/config']) {
      const refused = await under.call('GET', path, { headers: { host: 'evil.example:8080' } });
      expect(refused.status, path).to.equal(403);
      expect(refused.body.Message).to.be.a('string').that.includes('"evil.example:8080"').and.includes('ADMIN_TOKEN');
    }
    for (const host of ['localhost:8080', '127.0.0.1', '[::1]:8080', '10.0.0.7', `${hostname()}:8080`])
      expect((await under.call('GET', '/v1/routes', { headers: { host } })).status, host).to.equal(200);
    expect((await under.call('GET', '/readyz', { headers: { host: 'probe.example' } })).status).to.equal(200);
  });

  it('refuses a value that could move a cursor where it is shown', async () => {
    const path = `${reconfigure}?serviceName=escape&servicePath=/&userAgent=a%1B%5B2J&port=80&outboundHostname=127.0.0.1`;
    const { status, text } = await under.call('GET', path);
    expect(status).to.equal(400);
    expect(text).to.include('userAgent').and.not.include('\u001b');
    expect((await under.call('GET', '/v1/docker-flow-proxy/config')).text).to.not.include('[2J');
  });

  it('responds to what is no HTTP, and heads that are too large, in JSON', async () => {
    const { port } = under.proxy.admin;
    expect(await responseTo(port, 'hello\r\n\r\n')).to.match(/^HTTP\/1\.1 400 [\s\S]*"Status":"NOK"/);
    const raw = `GET ${reconfigure}?servicePath=/\xc3\xbc HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    expect(await responseTo(port, raw)).to.match(/^HTTP\/1\.1 400 [\s\S]*escaped/);
    const large = `GET /v1/status?${'x'.repeat(70_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    expect(await responseTo(port, large)).to.match(/^HTTP\/1\.1 431 [\s\S]*65536 bytes/);
  });

  it('takes queries as large as a certificate with its key', async () => {
    expect((await under.call('GET', `/v1/status?${'x'.repeat(40_000)}`)).status).to.equal(200);
  });

  it('closes a connection that sends its call too slowly', async () => {
    const patience = { headersTimeout: 100, requestTimeout: 100, connectionsCheckingInterval: 20 };
    const server = await openAdminServer('127.0.0.1', 0, patience);
    try {
      const slow = 'POST /v1/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n';
      expect(await responseTo(server.port, slow)).to.match(/^HTTP\/1\.1 408 [\s\S]*did not arrive in time/);
    } finally {
      await server.stop();
    }
  });
});
