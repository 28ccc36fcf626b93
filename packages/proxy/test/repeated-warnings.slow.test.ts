import { get } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { createLogger } from '@swarmgate/runtime';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { freePorts } from './free-ports.ts';
import { type ProxyUnderTest, startProxyUnderTest } from './running-proxy.ts';

describe('what a proxy logs again and again', () => {
  for (const level of ['info', 'debug'] as const)
    it(`of requests to an endpoint that refuses, and refused connections, at level ${level}`, async function () {
      this.timeout(30_000);
      const destination = new PassThrough({ encoding: 'utf8' });
      let text = '';
      destination.on('data', (part: string) => {
        text += part;
      });
      const of = (message: string) => text.split('\n').filter((line) => line.includes(message));
      const under = await startProxyUnderTest({
        env: { MAX_CONNECTIONS: '2' },
        logger: createLogger({ level, destination }),
      });
      try {
        await until('the proxy is ready', () => under.proxy.ready());
        const reconfigure = '/v1/docker-flow-proxy/reconfigure?serviceName=shop&servicePath=/shop&port=9';
        expect((await under.call('GET', `${reconfigure}&outboundHostname=127.0.0.1`)).status).to.equal(200);
        const [entrypoint] = under.proxy.entrypoints();
        const port = entrypoint?.port ?? 0;
        const beganMs = performance.now();
        for (let at = 0; at < 100; at += 1) expect(await statusOf(port)).to.equal(502);
        const sockets = Array.from({ length: 30 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
        await until('all but two are refused', () => sockets.filter(({ destroyed }) => destroyed).length >= 28);
        for (const socket of sockets) socket.destroy();
        const seconds = Math.ceil((performance.now() - beganMs) / 1_000);
        if (level === 'debug') {
          expect(of('an endpoint failed')).to.have.length.at.least(100);
          expect(of('a connection was refused')).to.have.length.at.least(28);
        } else {
          expect(of('an endpoint failed')).to.have.length.within(1, 2 * seconds + 1);
          expect(of('a connection was refused')).to.have.length.within(1, seconds + 1);
        }
      } finally {
        await under.stop();
      }
      // The counts that were pending at its end are reported.
      if (level === 'info') expect(of('an endpoint failed').join('')).to.include('"repeated":');
    });
});

/** What each of 40 clients does, one after the other, and the sentence that all of them cause. */
const kinds: readonly (readonly [
  what: string,
  sentence: string,
  once: (where: { readonly entry: number; readonly relay: number; readonly under: ProxyUnderTest }) => Promise<unknown>,
])[] = [
  ['a service without endpoints', 'an endpoint failed', ({ entry }) => statusOf(entry, '/none')],
  ['HTTP/1.1 upgrades', 'an endpoint failed', ({ entry }) => closedBy(entry, upgrade)],
  ['HTTP/2 requests', 'an endpoint failed', ({ entry }) => statusOfHttp2(entry)],
  ['a relay', 'a relayed connection was not served', ({ relay }) => closedBy(relay, 'hello')],
  ['calls without a token', 'refused', ({ under }) => under.call('POST', '/v1/restore')],
  ['failed logins', 'a login of the console failed', ({ under }) => login(under)],
];
const upgrade = 'GET /shop HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n';

describe('a warning that each of many clients causes', function () {
  this.timeout(60_000);
  let under: ProxyUnderTest;
  let text = '';
  let relay = 0;

  before(async () => {
    const destination = new PassThrough({ encoding: 'utf8' });
    destination.on('data', (part: string) => {
      text += part;
    });
    [relay = 0] = await freePorts(1);
    under = await startProxyUnderTest({
      env: { ADMIN_TOKEN: 'right', HTTP2: 'true', RETRIES: '0' },
      logger: createLogger({ level: 'info', destination }),
    });
    await until('the proxy is ready', () => under.proxy.ready());
    const headers = { authorization: 'Bearer right' };
    for (const labels of [
      'serviceName=shop&servicePath=/shop&port=9&outboundHostname=127.0.0.1',
      'serviceName=none&servicePath=/none&port=9',
      `serviceName=relayed&reqMode=tcp&srcPort=${relay}&port=9&outboundHostname=127.0.0.1`,
    ]) {
      const path = `/v1/docker-flow-proxy/reconfigure?${labels}`;
      expect((await under.call('GET', path, { headers })).status).to.equal(200);
    }
  });
  after(() => under.stop());

  for (const [what, sentence, once] of kinds)
    it(`is written once a second: of ${what}`, async () => {
      const entry = under.proxy.entrypoints()[0]?.port ?? 0;
      text = '';
      const beganMs = performance.now();
      for (let at = 0; at < 40; at += 1) await once({ entry, relay, under });
      const seconds = Math.ceil((performance.now() - beganMs) / 1_000);
      await until('it is written', () => text.includes(sentence));
      const lines = text.split('\n').filter((line) => line.includes(sentence));
      // An endpoint fails with one reason or two.
      expect(lines).to.have.length.within(1, 2 * (seconds + 1));
    });
});

/** Resolves when the other side has closed. */
function closedBy(port: number, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1').resume();
    socket.on('error', () => undefined);
    socket.once('end', () => socket.end());
    socket.once('close', () => resolve());
    socket.write(bytes);
  });
}

function statusOfHttp2(port: number): Promise<void> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://127.0.0.1:${port}`).on('error', () => undefined);
    const stream = session.request({ ':path': '/shop' }).on('error', () => undefined);
    stream.resume().once('close', () => {
      session.destroy();
      resolve();
    });
  });
}

function login(under: ProxyUnderTest): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  return under.call('POST', '/v1/session', { headers, body: '{"token":"wrong"}' });
}

function statusOf(port: number, path = '/shop'): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      resolve(response.resume().statusCode);
    }).once('error', reject);
  });
}
