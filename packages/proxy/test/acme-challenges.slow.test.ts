import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { connect as connectTls, createServer } from 'node:tls';
import { challengeBoard } from '@swarmgate/acme/challenge-responses';
import { expect } from 'chai';
import type { Middleware } from '../src/middleware/middleware.ts';
import { echo, type ScriptedBackend, startBackend } from './scripted-backend.ts';
import {
  type MakeServer,
  makeCoreServer,
  makeExpressHttp2Server,
  makeExpressServer,
  makeHttp2Server,
  type Rig,
  startRig,
} from './server-rig.ts';
import { testCertificate } from './test-certificate.ts';
import { endpointAt, tinyRoute } from './test-context.ts';

const token = 'LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0';
const body = `${token}.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI`;
const challenges = challengeBoard({
  http: [
    ['shop.example', token, body],
    ['2001:db8::7', token, body],
  ],
  alpn: [],
});
const at = `/.well-known/acme-challenge/${token}`;

type Response = readonly [status: number, body: string];
type Send = (port: number, host: string, path: string, method?: string, isSecure?: boolean) => Promise<Response>;

const unchecked = { host: '127.0.0.1', rejectUnauthorized: false } as const;

const overHttp1 =
  (version: '1.0' | '1.1'): Send =>
  async (port, host, path, method = 'GET', isSecure = false) => {
    const socket = isSecure ? connectTls({ port, ...unchecked }) : connect({ port, host: '127.0.0.1' });
    socket.write(`${method} ${path} HTTP/${version}\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    const text = (await socket.setEncoding('latin1').toArray()).join('');
    return [Number(text.slice(9, 12)), text.slice(text.indexOf('\r\n\r\n') + 4)];
  };
const overHttp2: Send = async (port, host, path, method = 'GET', isSecure = false) => {
  const session = connectHttp2(`${isSecure ? 'https' : 'http'}://127.0.0.1:${port}`, unchecked);
  try {
    const stream = session.request({ ':method': method, ':authority': host, ':path': path });
    const [headers] = (await once(stream, 'response')) as [{ readonly ':status'?: number }];
    const text = (await stream.setEncoding('latin1').toArray()).join('');
    return [headers[':status'] ?? 0, text];
  } finally {
    session.destroy();
  }
};

const deny = (status: number): Middleware => ({
  name: `responds with ${status}`,
  onRequest: () => ({ kind: 'respond', response: { status, reason: 'denied', headers: [], body: 'denied' } }),
});

const servers = [
  ['the http1 server, HTTP/1.1', makeCoreServer, overHttp1('1.1')],
  ['the http1 server, HTTP/1.0', makeCoreServer, overHttp1('1.0')],
  ['the Express server, HTTP/1.1', makeExpressServer, overHttp1('1.1')],
  ['the HTTP/2 server', makeHttp2Server, overHttp2],
  ['the HTTP/2 server with Express', makeExpressHttp2Server, overHttp2],
  ['the HTTP/2 server, HTTP/1.1', makeHttp2Server, overHttp1('1.1')],
] as const;

for (const [name, makeServer, send] of servers)
  describe(`challenges of CAs, by ${name}`, () => {
    let backend: ScriptedBackend;
    let rig: Rig;
    const withChallenges: MakeServer = (material) =>
      makeServer({ ...material, context: { ...material.context, challenges } });
    const start = async (options: Partial<Parameters<typeof startRig>[1]> = {}) => {
      backend = await startBackend();
      backend.onRequest = echo;
      rig = await startRig(withChallenges, { endpoints: [endpointAt(backend.port)], ...options });
    };
    afterEach(async () => {
      await rig.stop();
      await backend.stop();
    });

    const blocked = { ...tinyRoute(), blockedBy: 'users' };
    const walls = [
      ['a route', {}],
      ['no route', { routeOf: () => undefined }],
      ['a redirect to another host', { routeOf: () => ({ ...tinyRoute(), redirectToHost: 'other.example' }) }],
      ['a redirect to HTTPS', { steps: [deny(301)] }],
      ['authentication', { steps: [deny(401)] }],
      ['an allow list', { steps: [deny(403)] }],
      ['a service that is out of order', { steps: [deny(503)] }],
      ['a route that needs what this version lacks', { routeOf: () => blocked }],
      ['no endpoint', { endpoints: [] }],
    ] as const;
    for (const [wall, options] of walls)
      it(`are served before ${wall}`, async () => {
        await start(options);
        expect(await send(rig.port, 'shop.example', at)).to.deep.equal([200, body]);
        expect(await send(rig.port, 'Shop.Example.:80', at)).to.deep.equal([200, body]);
        expect(await send(rig.port, '[2001:DB8:0::7]', at)).to.deep.equal([200, body]);
        expect(await send(rig.port, 'shop.example', at, 'HEAD')).to.deep.equal([200, '']);
        expect(backend.requests).to.deep.equal([]);
        expect(rig.context.reports.map(({ reason }) => reason)).to.deep.equal(Array(4).fill('acme-challenge'));
      });

    const others = [
      ['another token', 'shop.example', '/.well-known/acme-challenge/other'],
      ['another host', 'www.shop.example', at],
      ['a token that goes on', 'shop.example', `${at}x`],
      ['a token that is cut', 'shop.example', at.slice(0, -1)],
      ['a token in another case', 'shop.example', at.toLowerCase()],
      ['a slash behind it', 'shop.example', `${at}/`],
      ['a path behind it', 'shop.example', `${at}/x`],
      ['a parameter of the segment', 'shop.example', `${at};x=1`],
      ['a percent-encoded letter', 'shop.example', at.replace('Loq', '%4Coq')],
      ['a percent-encoded byte', 'shop.example', `${at}%00`],
      ['no token', 'shop.example', '/.well-known/acme-challenge/'],
      ['a name of every object', 'shop.example', '/.well-known/acme-challenge/__proto__'],
      ['a token of 4,000 letters', 'shop.example', `/.well-known/acme-challenge/${'a'.repeat(4_000)}`],
      ['a host that is part of the key', 'shop.example', `/.well-known/acme-challenge/shop.example/${token}`],
      ['dots that lead there', 'shop.example', `/x/..${at}`],
      ['dots that lead away', 'shop.example', '/.well-known/acme-challenge/../x'],
    ] as const;
    for (const [what, host, path] of others)
      it(`leave ${what} to the routes`, async () => {
        await start();
        const [status, text] = await send(rig.port, host, path);
        expect(text).to.not.include(body);
        // Some spellings are refused for every route; all others reach the service.
        expect([status, backend.requests.length]).to.be.deep.oneOf([
          [200, 1],
          [400, 0],
        ]);
        if (!/[%]00/.test(path)) expect(status).to.equal(200);
      });

    it('are left to the routes on ports that end TLS', async () => {
      await start();
      const { cert, key } = await testCertificate(['shop.example']);
      const secure = createServer({ cert, key, ALPNProtocols: send === overHttp2 ? ['h2'] : ['http/1.1'] }, (socket) =>
        rig.server.accept(socket, { port: 443, secure: true }),
      );
      secure.listen(0, '127.0.0.1');
      await once(secure, 'listening');
      const address = secure.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      expect(await send(port, 'shop.example', at, 'GET', true)).to.deep.equal([200, `GET ${at}`]);
      await once(secure.close(), 'close');
    });
  });
