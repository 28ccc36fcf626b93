import { connect as connectPlain } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { send } from '../../harness/http.ts';
import { until } from '../../harness/until.ts';
import { startUiRig, type UiRig } from './ui-rig.ts';

const manual = '/v1/kv/swarmgate/services/manual';

/** What a client of CONSUL_UI_PORT may try, before a real Consul that denies by default. */
describe('Attacks on Consul’s UI behind a proxy', function () {
  this.timeout(60_000);
  let rig: UiRig;
  let agentBefore: string;
  let writesBefore: ReadonlyMap<string, number>;
  const sockets: TLSSocket[] = [];

  before(async () => {
    rig = await startUiRig();
    await rig.publish('legacy', {
      servicePath: '/legacy',
      port: String(rig.backendPort),
      outboundHostname: '127.0.0.1',
    });
    await rig.put('services/swarm/shop', '{"a":"document"}');
    await rig.put('certs/example.com', 'a sealed key');
    agentBefore = await agent();
    writesBefore = await rig.writes();
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });
  after(async () => {
    await rig?.remove();
  });

  const agent = async () => {
    const headers = { 'x-consul-token': rig.tokens.management };
    const parts = ['agent/services', 'agent/checks', 'acl/policies', 'session/list', 'catalog/services'];
    const bodies = await Promise.all(parts.map((part) => send({ url: `${rig.consul.url}/v1/${part}`, headers })));
    // Presence is a session of the proxy's.
    return bodies.map(({ body }) => body.replaceAll(/"(Modify|Create)Index":\d+/g, '')).join('\n');
  };
  const dial = () => {
    const socket = connect({ host: '127.0.0.1', port: rig.uiPort, rejectUnauthorized: false });
    socket.on('error', () => undefined);
    sockets.push(socket);
    let received = '';
    let over = false;
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
    });
    for (const event of ['end', 'close']) socket.on(event, () => (over = true));
    return { socket, received: () => received, over: () => over };
  };
  const authorization = () => `Authorization: Bearer ${rig.adminToken}\r\n`;
  const head = (line: string, fields: string, credentials = authorization()) =>
    `${line} HTTP/1.1\r\nHost: 127.0.0.1:${rig.uiPort}\r\n${credentials}${fields}\r\n`;
  /** All that comes back until the connection ends. */
  const exchange = async (bytes: string) => {
    const { socket, received, over } = dial();
    socket.write(bytes, 'latin1');
    await until('the end of the connection', async () => over());
    return received();
  };
  const statusesOf = (received: string) =>
    [...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));

  const close = 'Connection: close\r\n';
  const body = `${close}Content-Length: 2\r\n`;
  const cases: readonly (readonly [title: string, line: string, fields: string, content: string, status: number])[] = [
    ['a write below a Swarm', 'PUT /v1/kv/swarmgate/services/swarm/shop', body, '{}', 403],
    ['… through a dot segment', `PUT ${manual}/../swarm/shop`, body, '{}', 400],
    ['… through an escaped dot segment', `PUT ${manual}/%2e%2e/swarm/shop`, body, '{}', 400],
    ['… through an escaped slash', `PUT ${manual}/..%2fswarm%2fshop`, body, '{}', 400],
    ['… through a double slash', `PUT ${manual}//../swarm/shop`, body, '{}', 400],
    ['… by a double slash in front', 'PUT //v1/kv/swarmgate/services/swarm/shop', body, '{}', 400],
    ['… from below the UI', 'PUT /ui/../v1/kv/swarmgate/services/swarm/shop', body, '{}', 400],
    ['… from below the UI, escaped', 'PUT /ui/..%2fv1/kv/swarmgate/services/swarm/shop', body, '{}', 400],
    ['… by an absolute target', 'PUT http://127.0.0.1:8500/v1/kv/swarmgate/services/swarm/shop', body, '{}', 400],
    ['… by a target without a slash', 'PUT v1/kv/swarmgate/services/swarm/shop', body, '{}', 400],
    ['… by another method', 'POST /v1/kv/swarmgate/services/swarm/shop', body, '{}', 403],
    ['… by a transaction', 'PUT /v1/txn', body, '[]', 403],
    ['… with an empty token', 'PUT /v1/kv/swarmgate/services/swarm/shop', `X-Consul-Token:\r\n${body}`, '{}', 403],
    [
      '… with a made-up token',
      'PUT /v1/kv/swarmgate/services/swarm/shop',
      `X-Consul-Token: root\r\n${body}`,
      '{}',
      403,
    ],
    [
      '… with the token of the anonymous',
      'PUT /v1/kv/swarmgate/services/swarm/shop',
      `X-Consul-Token: anonymous\r\n${body}`,
      '{}',
      403,
    ],
    [
      '… with X-HTTP-Method-Override',
      'GET /v1/kv/swarmgate/services/swarm/shop',
      `X-HTTP-Method-Override: PUT\r\n${close}`,
      '',
      200,
    ],
    ['a write to another instance', 'PUT /v1/kv/other/services/manual/a', body, '{}', 403],
    ['a recursive deletion of everything', 'DELETE /v1/kv/?recurse', close, '', 403],
    ['a recursive deletion by prefix', 'DELETE /v1/kv/swarmgate/services/manual?recurse', close, '', 403],
    ['a write in another datacenter', `PUT ${manual}/a?dc=elsewhere`, body, '{}', 500],
    ['a key that locks', `PUT ${manual}/a?acquire=00000000-0000-0000-0000-000000000000`, body, '{}', 500],
    ['a value that is too large', `PUT ${manual}/a`, `${close}Content-Length: 600000\r\n`, '', 413],
    ['a certificate', 'GET /v1/kv/swarmgate/certs/example.com', close, '', 403],
    ['the UI’s own token', 'GET /v1/acl/token/self', close, '', 403],
    ['all tokens', 'GET /v1/acl/tokens', close, '', 403],
    ['a snapshot with all tokens', 'GET /v1/snapshot', close, '', 403],
    ['the agent’s configuration', 'GET /v1/agent/self', close, '', 403],
    ['the end of the agent', 'PUT /v1/agent/leave', body, '{}', 403],
    ['a service of the agent', 'PUT /v1/agent/service/register', body, '{}', 403],
    ['a check of the agent', 'PUT /v1/agent/check/register', body, '{}', 403],
    ['the agent’s token', 'PUT /v1/agent/token/default', body, '{}', 403],
    ['a node of the catalogue', 'PUT /v1/catalog/register', body, '{}', 403],
    ['a session', 'PUT /v1/session/create', body, '{}', 403],
    ['an event', 'PUT /v1/event/fire/a', body, '{}', 403],
    ['a query', 'POST /v1/query', body, '{}', 403],
    ['the bootstrap of ACLs', 'PUT /v1/acl/bootstrap', body, '{}', 403],
    ['profiles', 'GET /debug/pprof/', close, '', 404],
    ['a token in the query', `GET /v1/kv/swarmgate/head?token=x`, close, '', 400],
    ['… behind a semicolon', `GET /v1/kv/swarmgate/head?raw;token=x`, close, '', 400],
    ['… escaped', `GET /v1/kv/swarmgate/head?%74oken=x`, close, '', 400],
    ['PATCH', `PATCH ${manual}/a`, body, '{}', 405],
    ['OPTIONS', `OPTIONS ${manual}/a`, close, '', 405],
    ['TRACE', `TRACE ${manual}/a`, close, '', 405],
    ['CONNECT', 'CONNECT 127.0.0.1:8500', '', '', 405],
    [
      'h2c',
      'GET /v1/kv/swarmgate/head',
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n',
      '',
      400,
    ],
    [
      'a WebSocket that Consul does not know',
      'GET /v1/kv/swarmgate/head?raw',
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n',
      '',
      200,
    ],
    ['another Host beside', 'GET /v1/kv/swarmgate/head', `Host: consul\r\n${close}`, '', 400],
    ['two tokens', 'GET /v1/kv/swarmgate/head', `X-Consul-Token: a\r\nX-Consul-Token: b\r\n${close}`, '', 400],
    ['a page of another origin', `PUT ${manual}/a`, `Origin: https://evil.example\r\n${body}`, '{}', 403],
    ['a page of the same site', `PUT ${manual}/a`, `Sec-Fetch-Site: same-site\r\n${body}`, '{}', 403],
  ];
  for (const [title, line, fields, content, status] of cases)
    it(`${title}: ${line} is ${status}`, async () => {
      const received = await exchange(head(line, fields) + content);
      expect(statusesOf(received)[0], received.slice(0, 300)).to.equal(status);
      expect(received).to.not.include('a sealed key');
      for (const token of Object.values(rig.tokens)) expect(received.includes(token)).to.equal(false);
    });

  // A second request hidden in the first: none may be served as one.
  const hidden = () => head(`PUT ${manual}/smuggled`, 'Content-Length: 1\r\n', `X-Consul-Token: ${rig.tokens.ui}\r\n`);
  for (const [title, fields] of [
    ['two lengths', 'Content-Length: 3\r\nContent-Length: 4\r\n'],
    ['a length and chunks', 'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n'],
    ['chunks', 'Transfer-Encoding: chunked\r\n'],
    ['chunks written otherwise', 'Transfer-Encoding: xchunked\r\n'],
    ['chunks behind a tab', 'Transfer-Encoding:\tchunked\r\n'],
    ['a space before the colon', 'Transfer-Encoding : chunked\r\n'],
    ['a folded field', 'X: a\r\n Transfer-Encoding: chunked\r\n'],
    ['a bare line feed', 'X: a\nTransfer-Encoding: chunked\r\n'],
    ['a bare carriage return', 'X: a\rTransfer-Encoding: chunked\r\n'],
    ['a length with a sign', 'Content-Length: +3\r\n'],
    ['a length in hexadecimal', 'Content-Length: 0x3\r\n'],
  ] as const)
    it(`a request hidden by ${title}`, async () => {
      const received = await exchange(`${head(`PUT ${manual}/first`, fields)}0\r\n\r\n${hidden()}x`);
      expect(statusesOf(received)).to.not.be.empty;
      for (const status of statusesOf(received)) expect(status).to.be.oneOf([400, 411]);
    });

  it('an upgrade with a request behind it, which Consul does not respond', async () => {
    const upgrade =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
    const received = await exchange(head('GET /v1/kv/swarmgate/head?raw', upgrade) + hidden());
    expect(statusesOf(received)).to.have.length(1);
  });

  it('slow clients, which are ended in time while others are served', async () => {
    const slow = Array.from({ length: 50 }, dial);
    for (const { socket } of slow) socket.write('GET / HTTP/1.1\r\nHost:');
    const mute = Array.from({ length: 50 }, () => connectPlain(rig.uiPort, '127.0.0.1').on('error', () => undefined));
    const received = await exchange(head('GET /v1/kv/swarmgate/head?raw', close));
    expect(statusesOf(received)).to.deep.equal([200]);
    await until(
      'all of them are ended',
      async () =>
        slow.every(({ over }) => over()) && mute.every(({ destroyed, readableEnded }) => destroyed || readableEnded),
      {
        withinMs: 20_000,
      },
    );
    for (const socket of mute) socket.destroy();
  });

  it('a length that never comes, which ends within its time and writes nothing', async () => {
    const { socket, over } = dial();
    socket.write(head(`PUT ${manual}/half`, 'Content-Length: 100\r\n'));
    socket.write('{"half":');
    await until('it is ended', async () => over(), { withinMs: 45_000 });
  });

  it('have changed nothing', async () => {
    expect(Object.fromEntries(await rig.writes())).to.deep.equal(Object.fromEntries(writesBefore));
    expect(await agent()).to.equal(agentBefore);
    for (const token of Object.values(rig.tokens)) expect(rig.log().includes(token)).to.equal(false);
  });
});
