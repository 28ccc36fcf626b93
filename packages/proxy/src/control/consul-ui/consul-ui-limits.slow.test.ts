import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectSecurely, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { adminToken, bearer, ConsulUiRig, key } from '../../../test/consul-ui-rig.ts';
import { freePorts } from '../../../test/free-ports.ts';
import { startScriptedConsul } from '../../../test/scripted-consul.ts';
import { until } from '../../../test/until.ts';

describe('What Consul, clients and bodies cost Consul’s UI behind a proxy', () => {
  let rig: ConsulUiRig;
  beforeEach(async () => {
    rig = await ConsulUiRig.start();
  });
  afterEach(() => rig.stop());

  it('is 502 while Consul is away, and serves again when it is back', async () => {
    expect((await rig.call('GET /v1/kv/a')).status).to.equal(200);
    const { port } = rig.consul;
    await rig.consul.stop();
    const away = await rig.call(`PUT ${key}`, `${bearer}Content-Length: 2\r\n`, '{}');
    expect([away.status, away.header('x-swarmgate-reason')]).to.deep.equal([502, 'consul-unreachable']);
    expect(away.body).to.include(`Consul at 127.0.0.1:${port} is unreachable (ECONNREFUSED)`);
    const socket = await rig.call(
      'GET /v1/echo',
      `${bearer}X-Consul-Token: a-person\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`,
    );
    expect([socket.status, socket.header('x-swarmgate-reason')]).to.deep.equal([502, 'consul-unreachable']);
    rig.consul = await startScriptedConsul(port);
    expect((await rig.call('GET /v1/kv/a')).status).to.equal(200);
  });

  it('is 504 where Consul does not respond in time, and 502 where it breaks off', async () => {
    await rig.restart({ silenceMs: 50 });
    rig.consul.respondWith(() => undefined);
    const silent = await rig.call('GET /v1/kv/a');
    expect([silent.status, silent.header('x-swarmgate-reason')]).to.deep.equal([504, 'consul-timeout']);
    rig.consul.respondWith((request) => request.socket.destroy());
    expect((await rig.call('GET /v1/kv/a')).status).to.equal(502);
    rig.consul.respondWith((request, response) => {
      response.writeHead(200, { 'Content-Length': 10 });
      response.write('12345', () => request.socket.destroy());
    });
    const client = rig.dial();
    client.send(rig.head('GET /v1/kv/a'));
    await client.end();
    expect(client.received).to.match(/12345$/);
  });

  it('is 504 where a connection to Consul is never made', async () => {
    // Accepts, and begins no TLS.
    const mute = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const { port } = mute.address() as { port: number };
    await rig.restart(
      { connectMs: 50 },
      { CONSUL_UI_INSECURE: 'true', CONSUL_HTTP_ADDR: `127.0.0.1:${port}`, CONSUL_HTTP_SSL: 'true' },
    );
    expect((await rig.call('GET /v1/kv/a')).status).to.equal(504);
    mute.close();
  });

  it('ends a blocking query at Consul when its client leaves', async () => {
    rig.consul.respondWith(() => undefined);
    const client = rig.dial();
    client.send(rig.head('GET /v1/kv/a?index=7&wait=5m'));
    await until(() => rig.consul.calls.length === 1, 'the query');
    expect(rig.consul.calls[0]?.target).to.equal('/v1/kv/a?index=7&wait=5m');
    client.destroy();
    await until(() => rig.consul.abandoned() === 1, 'its end at Consul');
  });

  it('frees the place of a client that does not read its response', async () => {
    await rig.restart({ callsInFlight: 1, idleMs: 100 });
    const size = 64 * 1024 * 1024;
    rig.consul.respondWith((_request, response) => {
      response.writeHead(200, { 'Content-Length': size });
      response.end(Buffer.alloc(size));
    });
    const client = rig.dial();
    client.socket.pause();
    client.send(rig.head('GET /v1/kv/?recurse'));
    await until(() => rig.consul.calls.length === 1, 'the call');
    rig.consul.respondWith((_request, response) => response.end('{}'));
    await until(async () => (await rig.call('GET /v1/kv/a')).status === 200, 'room for a call');
    await until(() => rig.consul.abandoned() === 1, 'its end at Consul');
  });

  it('limits calls in flight, blocking queries and WebSockets included', async () => {
    await rig.restart({ callsInFlight: 2 });
    const socket = new WebSocket(`ws://127.0.0.1:${rig.port}/v1/echo`, {
      headers: { Authorization: `Bearer ${adminToken}`, 'X-Consul-Token': 'a-person' },
    });
    await new Promise((resolve) => socket.once('open', resolve));
    let finish = () => {};
    rig.consul.respondWith((_request, response) => {
      finish = () => response.end('{}');
    });
    const waiting = rig.dial();
    waiting.send(rig.head('GET /v1/kv/a?index=1'));
    await until(() => rig.consul.calls.length === 2, 'the query');
    const beyond = await rig.call('GET /v1/kv/a');
    expect([beyond.status, beyond.header('x-swarmgate-reason')]).to.deep.equal([503, 'too-many-calls']);
    finish();
    await waiting.response();
    rig.consul.respondWith((_request, response) => response.end('{}'));
    await until(async () => (await rig.call('GET /v1/kv/a')).status === 200, 'room for a call');
    socket.terminate();
  });

  it('bounds heads, bodies and the time they take', async () => {
    await rig.restart({ headMs: 50, requestMs: 150, checkMs: 20 });
    expect((await rig.call('GET /v1/kv/a', `${bearer}X: ${'x'.repeat(17_000)}\r\n`)).status).to.equal(431);
    expect((await rig.call(`PUT ${key}`, `${bearer}Content-Length: 524289\r\n`)).status).to.equal(413);
    expect(
      (await rig.call(`PUT ${key}`, `${bearer}Transfer-Encoding: chunked\r\n`, '1\r\na\r\n0\r\n\r\n')).status,
    ).to.equal(411);
    const slowHead = rig.dial();
    slowHead.send('GET /v1/kv/a HTTP/1.1\r\nHost:');
    expect((await slowHead.response()).status).to.equal(408);
    const before = rig.consul.calls.length;
    const slowBody = rig.dial();
    slowBody.send(rig.head(`PUT ${key}`, `${bearer}Content-Length: 5\r\n`));
    slowBody.send('12');
    await slowBody.end();
    await until(() => rig.consul.abandoned() === 1, 'the end of the call at Consul');
    expect(rig.consul.calls.length - before).to.equal(1);
  });

  it('leaves room for a login under connections that stay silent', async () => {
    await rig.restart({ connections: 4 });
    const silent = Array.from({ length: 100 }, () => rig.dial());
    await until(() => silent.filter(({ over }) => over).length >= 30, 'the oldest to be closed');
    expect((await rig.call('GET /v1/kv/a')).status).to.equal(200);
  });

  for (const behindProxy of [false, true])
    it(`serves beside TLS handshakes that never end${behindProxy ? ', behind PROXY headers' : ''}`, async () => {
      const [port = 0] = await freePorts(1);
      const proxied = { PROXY_PROTOCOL_PORTS: String(port), TRUSTED_PROXIES: '127.0.0.1' };
      await rig.restart({ connections: 4, headMs: 60_000, requestMs: 60_000 }, behindProxy ? proxied : {}, port);
      const dial = () => {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => undefined);
        if (behindProxy) socket.write(`PROXY TCP4 192.0.2.1 127.0.0.1 4711 ${port}\r\n`);
        return socket;
      };
      const call = async (client: TLSSocket) => {
        client.write(rig.head('GET /v1/kv/a'));
        const [piece] = (await once(client, 'data')) as [Buffer];
        return piece.toString('latin1', 9, 12);
      };
      const established = connectSecurely({ socket: dial(), rejectUnauthorized: false });
      expect(await call(established)).to.equal('200');
      const begun: Socket[] = [];
      for (let round = 0; round < 5; round += 1) {
        for (let each = 0; each < 60; each += 1) {
          const socket = dial();
          // The beginning of a ClientHello.
          socket.write(Buffer.from([22, 3, 1, 2, 0, 1]));
          begun.push(socket.resume());
        }
        const client = connectSecurely({ socket: dial(), rejectUnauthorized: false });
        expect(await call(client)).to.equal('200');
        client.destroy();
      }
      await until(() => begun.filter(({ closed }) => closed).length >= 296, 'all but the newest to be closed');
      expect(await call(established)).to.equal('200');
      for (const socket of [established, ...begun]) socket.destroy();
    });

  it('closes a TLS handshake that takes too long', async () => {
    await rig.restart({ headMs: 100 }, {});
    const client = rig.dial();
    client.socket.write(Buffer.from([22, 3, 1, 2, 0, 1]));
    await client.end();
    expect(client.received).to.equal('');
  });

  it('takes a body for a body, whatever it holds', async () => {
    const inner = rig.head('GET /v1/kv/secret');
    const client = rig.dial();
    client.send(rig.head(`PUT ${key}`, `${bearer}Content-Length: ${inner.length}\r\n`) + inner);
    expect((await client.response()).status).to.equal(200);
    client.send(rig.head('GET /v1/kv/b'));
    await client.response();
    expect(rig.consul.calls.map(({ target }) => target)).to.deep.equal([key, '/v1/kv/b']);
    expect(rig.consul.calls[0]?.body).to.equal(inner);
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
      const { status } = await rig.call(`PUT ${key}`, bearer + fields, '0\r\n\r\n');
      expect(status, JSON.stringify(fields)).to.be.oneOf([400, 411]);
    }
    expect(rig.consul.calls).to.have.length(0);
  });

  for (const [what, env] of [
    ['', { CONSUL_UI_INSECURE: 'true' }],
    [' by TLS', {}],
  ] as const)
    it(`counts failed tries by the client's address where a PROXY header gives it${what}`, async () => {
      const [port = 0] = await freePorts(1);
      await rig.restart({}, { ...env, PROXY_PROTOCOL_PORTS: String(port), TRUSTED_PROXIES: '127.0.0.1' }, port);
      const statusFor = async (address: string, fields: string) => {
        const socket = connect(port, '127.0.0.1');
        socket.write(`PROXY TCP4 ${address} 127.0.0.1 4711 ${port}\r\n`);
        const client = 'CONSUL_UI_INSECURE' in env ? socket : connectSecurely({ socket, rejectUnauthorized: false });
        client.write(rig.head('GET /v1/kv/a', `${fields}Connection: close\r\n`));
        let text = '';
        for await (const piece of client.setEncoding('latin1')) text += piece;
        return text.slice(9, 12);
      };
      const wrong = 'Authorization: Bearer wrong\r\n';
      for (let tries = 0; tries < 10; tries += 1) expect(await statusFor('192.0.2.1', wrong)).to.equal('401');
      expect(await statusFor('192.0.2.1', wrong)).to.equal('429');
      expect(await statusFor('192.0.2.2', bearer)).to.equal('200');
      const around = connect(port, '127.0.0.1', () => around.write(rig.head('GET /v1/kv/a')));
      around.on('error', () => undefined).resume();
      await until(() => around.closed, 'a connection without a PROXY header is closed');
    });
});
