import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { expect } from 'chai';
import type { Endpoint } from '../src/model/endpoint.ts';
import { startEndpoint } from './http2-endpoint/foreign-endpoint.ts';
import { startBackend } from './scripted-backend.ts';
import {
  type MakeServer,
  makeCoreServer,
  makeExpressHttp2Server,
  makeExpressServer,
  makeHttp2Server,
  makeReferenceServer,
  startRig,
} from './server-rig.ts';
import { endpointAt } from './test-context.ts';
import { withPlugins } from './with-plugins.ts';

const value = 'swy0ov.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';

/** Cookie fields of a request, and what of them may reach a service. */
const requested: readonly (readonly [title: string, fields: readonly string[], passed: string])[] = [
  ['alone', [`swarmgate_session=${value}`], ''],
  ['among others', [`a=1; swarmgate_session=${value}; b=2`], 'a=1; b=2'],
  ['with the prefix that it has over TLS', [`__Host-swarmgate_session=${value}; b=2`], 'b=2'],
  ['twice', [`swarmgate_session=${value}; a=1; swarmgate_session=x`], 'a=1'],
  ['in a field of its own', ['a=1', `swarmgate_session=${value}`, 'b=2'], 'a=1; b=2'],
  ['between quotes of others', [`a="x; swarmgate_session=${value}; b=y"`], 'a="x; b=y"'],
];

/** What an endpoint sets. A browser sends a cookie without a name back as its bare value, which then has one. */
const planted = [
  'swarmgate_session=planted; Path=/',
  '__Host-swarmgate_session=planted; Path=/; Secure',
  'swarmgate_session; Path=/',
  '=swarmgate_session=planted; Path=/',
  'other=1; Path=/',
];
const passedBack = ['other=1; Path=/'];

interface Reply {
  readonly status: number;
  readonly cookies: readonly string[];
  readonly interimCookies: readonly string[];
}

interface Sent {
  readonly path: string;
  readonly cookies: readonly string[];
  readonly upgrades: boolean;
}

type Send = (port: number, sent: Sent) => Promise<Reply>;

const cookiesOf = (headers: IncomingHttpHeaders) => headers['set-cookie'] ?? [];

function sendHttp1(port: number, { path, cookies, upgrades }: Sent): Promise<Reply> {
  const headers = ['Host', 'a.test', ...cookies.flatMap((each) => ['Cookie', each])];
  if (upgrades) headers.push(...['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Version', '13']);
  if (upgrades) headers.push('Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==');
  return new Promise((resolve, reject) => {
    const interimCookies: string[] = [];
    const sent = httpRequest({ host: '127.0.0.1', port, path, headers, agent: false });
    sent.on('error', reject);
    sent.on('information', (interim) => interimCookies.push(...cookiesOf(interim.headers)));
    const end = (status = 0, received: IncomingHttpHeaders = {}) => {
      resolve({ status, cookies: cookiesOf(received), interimCookies });
      sent.destroy();
    };
    sent.on('response', ({ statusCode, headers: received }) => end(statusCode, received));
    sent.on('upgrade', ({ statusCode, headers: received }) => end(statusCode, received));
    sent.end();
  });
}

function sendHttp2(port: number, { path, cookies, upgrades }: Sent): Promise<Reply> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  return new Promise((resolve, reject) => {
    session.on('error', reject);
    session.once('remoteSettings', () => {
      const interimCookies: string[] = [];
      const ofKind = upgrades ? { ':method': 'CONNECT', ':protocol': 'websocket' } : { ':method': 'GET' };
      const head = { ...ofKind, ':path': path, ':authority': 'a.test', ':scheme': 'http', cookie: [...cookies] };
      const stream = session.request(head, { endStream: !upgrades });
      stream.on('error', reject);
      stream.on('headers', (interim) => interimCookies.push(...cookiesOf(interim)));
      stream.on('response', (received) => {
        resolve({ status: Number(received[':status']), cookies: cookiesOf(received), interimCookies });
        session.destroy();
      });
    });
  });
}

interface Service {
  readonly endpoint: Endpoint;
  /** Cookies of each request, the fields of one joined. */
  readonly seen: readonly string[];
  stop(): Promise<void>;
}

type StartService = () => Promise<Service>;

/** Switches protocols where that is requested and the path is not `/refused`; sends a 103 to other requests before the response. */
async function startHttp1Service(): Promise<Service> {
  const seen: string[] = [];
  const backend = await startBackend();
  const lines = planted.map((each) => `Set-Cookie: ${each}\r\n`).join('');
  backend.onRequest = ({ headers, target }, socket) => {
    const named = (name: string) =>
      headers.filter((_field, at) => at % 2 === 1 && headers[at - 1]?.toLowerCase() === name);
    seen.push(named('cookie').join('; '));
    if (named('upgrade').length === 0)
      socket.write(`HTTP/1.1 103 Early Hints\r\n${lines}\r\nHTTP/1.1 200 OK\r\n${lines}Content-Length: 0\r\n\r\n`);
    else if (target === '/refused') socket.write(`HTTP/1.1 403 Forbidden\r\n${lines}Content-Length: 0\r\n\r\n`);
    else socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${lines}\r\n`);
  };
  return { endpoint: endpointAt(backend.port), seen, stop: () => backend.stop() };
}

/** The same in HTTP/2. */
async function startHttp2Service(): Promise<Service> {
  const seen: string[] = [];
  const foreign = await startEndpoint({ settings: { enableConnectProtocol: true } });
  const fields = { 'set-cookie': planted };
  foreign.onRequest = () => undefined;
  foreign.onHead = (stream, { headers }) => {
    seen.push(headers.cookie ?? '');
    const upgrades = headers[':method'] === 'CONNECT';
    if (!upgrades) stream.additionalHeaders({ ':status': 103, ...fields });
    const isRefused = headers[':path'] === '/refused';
    stream.respond({ ':status': isRefused ? 403 : 200, ...fields }, { endStream: !upgrades || isRefused });
  };
  return { endpoint: foreign.endpoint, seen, stop: () => foreign.stop() };
}

const clients: readonly (readonly [name: string, make: MakeServer, send: Send])[] = [
  ['HTTP/1.1', makeCoreServer, sendHttp1],
  ['HTTP/1.1, express', makeExpressServer, sendHttp1],
  ['HTTP/2', makeHttp2Server, sendHttp2],
  ['HTTP/2, express', makeExpressHttp2Server, sendHttp2],
  ['HTTP/2 by node:http2', makeReferenceServer, sendHttp2],
];
const services: readonly (readonly [name: string, start: StartService])[] = [
  ['HTTP/1.1', startHttp1Service],
  ['HTTP/2', startHttp2Service],
];

for (const [from, make, send] of clients)
  for (const [to, start] of services)
    describe(`the login of the console, from ${from} to an endpoint of ${to}`, () => {
      const at = async (use: (port: number, service: Service) => Promise<void>) => {
        const service = await start();
        const rig = await startRig(make, { endpoints: [service.endpoint] });
        try {
          await use(rig.port, service);
        } finally {
          await rig.stop();
          await service.stop();
        }
      };
      // An accepted upgrade of HTTP/2 is a 200.
      const accepted = send === sendHttp1 ? 101 : 200;

      for (const [kind, upgrades] of [
        ['a request', false],
        ['an upgrade', true],
      ] as const)
        it(`stays out of ${kind}, however it is sent`, () =>
          at(async (port, { seen }) => {
            for (const [title, cookies] of requested) {
              const { status } = await send(port, { path: '/', cookies, upgrades });
              expect(status, title).to.equal(upgrades ? accepted : 200);
            }
            const tidied = seen.map((each) => each.replace(/;\s*/g, '; ').replace(/; $/, ''));
            expect(requested.map(([title], index) => [title, tidied[index]])).to.deep.equal(
              requested.map(([title, , passed]) => [title, passed]),
            );
          }));

      for (const [what, path, upgrades, expected] of [
        ['a response, nor by an interim one', '/', false, 200],
        ['an upgrade', '/', true, accepted],
        ['a refused upgrade', '/refused', true, 403],
      ] as const)
        it(`is not set by ${what}`, () =>
          at(async (port) => {
            const { status, cookies, interimCookies } = await send(port, { path, cookies: [], upgrades });
            expect([status, cookies]).to.deep.equal([expected, passedBack]);
            expect(interimCookies).to.deep.equal(upgrades ? [] : passedBack);
          }));
    });

describe('the login of the console, where a route names plug-ins', () => {
  for (const upgrades of [false, true])
    it(`is in nothing that they are given of ${upgrades ? 'an upgrade' : 'a request'}`, async () => {
      const given: string[] = [];
      const make = withPlugins((request, _response, next) => {
        given.push(JSON.stringify([request.headers, request.rawHeaders, request.headersDistinct]));
        next();
      });
      const service = await startHttp1Service();
      const rig = await startRig(make, { endpoints: [service.endpoint] });
      try {
        for (const [, cookies] of requested) await sendHttp1(rig.port, { path: '/', cookies, upgrades });
        expect(given.length).to.equal(requested.length);
        expect(given.join()).to.not.include('swarmgate_session').and.to.not.include(value);
        expect(service.seen.join()).to.not.include('swarmgate_session');
      } finally {
        await rig.stop();
        await service.stop();
      }
    });
});
