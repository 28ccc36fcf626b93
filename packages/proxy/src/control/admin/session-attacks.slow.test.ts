import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { Writable } from 'node:stream';
import { createLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { parse } from 'yaml';
import { eventually, type ProxyUnderTest, startProxyUnderTest } from '../../../test/running-proxy.ts';
import { issueSession, sessionKey, sessionMs } from '../session/session-token.ts';
import { openapiFile } from './openapi-route.ts';

const token = 's3cret-of-these-tests';
const described = parse(readFileSync(openapiFile, 'utf8'), { merge: true }) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
};

interface Reply {
  readonly status: number;
  readonly cookie: string;
  readonly text: string;
}

interface Call {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly localAddress?: string;
  readonly agent?: Agent;
}

/** To an admin port, from any address of loopback. A stream of events counts as responded with its head. */
async function callAt(port: number, { method = 'GET', path, headers = {}, body, ...from }: Call): Promise<Reply> {
  // A DELETE would send its body without a length.
  const framed = body === undefined ? headers : { ...headers, 'Content-Length': String(Buffer.byteLength(body)) };
  const sent = request({ host: '127.0.0.1', port, method, path, headers: framed, agent: false, ...from });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const cookie = response.headers['set-cookie']?.[0]?.split(';', 1)[0] ?? '';
  const status = response.statusCode ?? 0;
  if (response.headers['content-type'] === 'text/event-stream') {
    sent.destroy();
    return { status, cookie, text: '' };
  }
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += part;
  return { status, cookie, text };
}

const loginCall = (given: string): Call => ({
  method: 'POST',
  path: '/v1/session',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ token: given }),
});

describe('sessions under attack', () => {
  const lines: string[] = [];
  let under: ProxyUnderTest;
  let port: number;
  let origin: string;
  before(async () => {
    const env = { ADMIN_TOKEN: token, METRICS_TOKEN: 'scraper' };
    const destination = new Writable({
      decodeStrings: false,
      write(line: string, _encoding, done) {
        lines.push(line);
        done();
      },
    });
    under = await startProxyUnderTest({ replica: 'one', env, logger: createLogger({ level: 'debug', destination }) });
    await eventually('the proxy is ready', () => under.proxy.ready());
    ({ port } = under.proxy.admin);
    origin = `http://127.0.0.1:${port}`;
  });
  after(() => under.stop());

  const login = async () => {
    const { status, cookie } = await callAt(port, loginCall(token));
    expect(status).to.equal(200);
    return cookie;
  };
  const sessionIn = (cookie: string) => cookie.slice(cookie.indexOf('=') + 1);

  describe('by values that this token did not sign, or not now', () => {
    const now = Date.now();
    const own = sessionKey(token);
    const issued = issueSession(own, now).value;
    const [end = '', nonce = '', signature = ''] = issued.split('.');
    const flipped = (text: string, at: number) =>
      text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
    const forged: Readonly<Record<string, string>> = {
      'the key of another token': issueSession(sessionKey('another'), now).value,
      'the key of METRICS_TOKEN': issueSession(sessionKey('scraper'), now).value,
      'the key of an empty token': issueSession(sessionKey(''), now).value,
      'the token itself as key': issueSession(Buffer.from(token), now).value,
      'no key': issueSession(Buffer.alloc(32), now).value,
      'an end that has passed': issueSession(own, now - sessionMs - 1_000).value,
      'an end further away than a login lasts': issueSession(own, now + sessionMs).value,
      'a later end under the signature of an earlier one': `${(Number.parseInt(end, 36) + 60).toString(36)}.${nonce}.${signature}`,
      'an end in capitals': `${end.toUpperCase()}.${nonce}.${signature}`,
      'an end with a zero before it': `0${end}.${nonce}.${signature}`,
      'another nonce': `${end}.${flipped(nonce, 0)}.${signature}`,
      'a signature whose first letter differs': `${end}.${nonce}.${flipped(signature, 0)}`,
      'a signature whose last letter has the same bytes': `${issued.slice(0, -1)}${String.fromCharCode(issued.charCodeAt(issued.length - 1) + 1)}`,
      'a padded signature': `${issued}=`,
      'a signature cut by one': issued.slice(0, -1),
      'no signature': `${end}.${nonce}.`,
      'two of three parts': `${end}.${nonce}`,
      'the signature alone': signature,
      'quotes around it': `"${issued}"`,
      'it twice': `${issued}${issued}`,
      'it escaped for a URL': issued.replaceAll('.', '%2E'),
      'a comma and more': `${issued},${issued}`,
      'letters beyond ASCII': `${issued}\u00e9`,
      'ten thousand letters': 'a'.repeat(10_000),
      nothing: '',
      'the token': token,
      true: 'true',
    };
    const calls = [
      'GET /v1/status',
      'GET /v1/services',
      'GET /v1/events',
      'GET /v1/requests',
      'POST /v1/remove',
    ] as const;
    for (const [title, value] of Object.entries(forged))
      it(`takes none with ${title}`, async () => {
        for (const name of ['swarmgate_session', '__Host-swarmgate_session'])
          for (const call of calls) {
            const [method = '', path = ''] = call.split(' ');
            const headers = { Cookie: Buffer.from(`${name}=${value}`).toString('latin1'), Origin: origin };
            expect((await callAt(port, { method, path, headers })).status, `${name}: ${call}`).to.equal(401);
          }
        const { text } = await callAt(port, {
          path: '/v1/session',
          headers: { Cookie: `swarmgate_session=${encodeURI(value)}` },
        });
        expect(JSON.parse(text)).to.include({ endsAt: null, mayRead: false, mayChange: false });
      });

    it('takes one that it signed, among all of these', async () => {
      const cookies = Object.values(forged).filter((value) => value.length < 1_000 && !value.endsWith('\u00e9'));
      const Cookie = [...cookies, issued].map((value) => `swarmgate_session=${value}`).join('; ');
      expect((await callAt(port, { path: '/v1/status', headers: { Cookie } })).status).to.equal(200);
    });
  });

  describe('by pages of other origins, which get its cookie along', () => {
    const changing = Object.entries(described.paths).flatMap(([path, methods]) =>
      Object.keys(methods)
        .map((method) => method.toUpperCase())
        .filter((method) => method !== 'GET')
        .map((method) => `${method} ${path}`),
    );
    const foreign: readonly (readonly [title: string, headersOf: (own: URL) => Readonly<Record<string, string>>])[] = [
      ['another port', ({ hostname, port: own }) => ({ Origin: `http://${hostname}:${Number(own) + 1}` })],
      ['the default port', ({ hostname }) => ({ Origin: `http://${hostname}` })],
      ['a port that begins alike', ({ origin: own }) => ({ Origin: `${own}0` })],
      ['another name of this machine', ({ port: own }) => ({ Origin: `http://localhost:${own}` })],
      ['a host that begins alike', ({ hostname, port: own }) => ({ Origin: `http://${hostname}.evil.example:${own}` })],
      ['a host in the place of a user', ({ host }) => ({ Origin: `http://${host}@evil.example` })],
      ['none that is named', () => ({})],
      ['a sandboxed frame', () => ({ Origin: 'null' })],
      ['its own, marked as cross-site', ({ origin: own }) => ({ Origin: own, 'Sec-Fetch-Site': 'cross-site' })],
      ['its own, marked as another port', ({ origin: own }) => ({ Origin: own, 'Sec-Fetch-Site': 'same-site' })],
      ['two', ({ origin: own }) => ({ Origin: `${own}, http://evil.example` })],
    ];

    it('are all paths that change something', () => {
      expect(changing.length).to.be.at.least(12);
    });

    for (const [title, headersOf] of foreign)
      it(`changes nothing for a page of ${title}`, async () => {
        const cookie = await login();
        for (const call of changing) {
          const [method = '', path = ''] = call.split(' ');
          const headers = { Cookie: cookie, 'Content-Type': 'application/json', ...headersOf(new URL(origin)) };
          // A login needs no session: it is refused to pages of other origins, which would log their visitor in.
          if (call === 'POST /v1/session') continue;
          expect((await callAt(port, { method, path, headers, body: '{}' })).status, call).to.equal(401);
        }
        expect((await callAt(port, { path: '/v1/status', headers: { Cookie: cookie } })).status).to.equal(200);
      });

    it('changes for a page of its own, so that it is not all refused for another reason', async () => {
      const headers = { Cookie: await login(), 'Content-Type': 'application/json', Origin: origin };
      for (const call of changing) {
        const [method = '', path = ''] = call.split(' ');
        if (/session|restart-workers|reload|restore/.test(path)) continue;
        expect((await callAt(port, { method, path, headers, body: '{}' })).status, call).to.not.be.oneOf([401, 403]);
      }
    });
  });

  describe('by guesses of the token', () => {
    const addresses = Array.from({ length: 30 }, (_, at) => `127.0.1.${at + 1}`);
    const triesOfEach = 100;

    it('looks at ten of each address, however many come, and takes a login from elsewhere meanwhile', async () => {
      const startedMs = performance.now();
      const agents = addresses.map(() => new Agent({ keepAlive: true, maxSockets: 4 }));
      const warned = lines.length;
      try {
        const statuses = Promise.all(
          addresses.map(async (localAddress, at) => {
            const agent = agents[at] as Agent;
            const tries = Array.from({ length: triesOfEach }, (_, number) =>
              callAt(port, { ...loginCall(`guess-${number}`), localAddress, agent }),
            );
            return (await Promise.all(tries)).map(({ status, cookie }) => (cookie === '' ? status : 0));
          }),
        );
        const between = await callAt(port, { ...loginCall(token), localAddress: '127.0.2.1' });
        expect(between.status).to.equal(200);
        const found = await statuses;
        // One more is looked at every 6 s.
        const most = 10 + Math.ceil((performance.now() - startedMs) / 6_000);
        for (const each of found) {
          expect(each.filter((status) => status === 401).length).to.be.within(10, most);
          expect(each.filter((status) => status === 429).length).to.be.within(triesOfEach - most, triesOfEach - 10);
        }
        // An address that has failed too often does not get in with the right one either.
        const localAddress = addresses[0] ?? '';
        await eventually('no more of it are looked at', async () => {
          return (await callAt(port, { ...loginCall('guess'), localAddress })).status === 429;
        });
        expect((await callAt(port, { ...loginCall(token), localAddress })).status).to.equal(429);
        const failed = lines.slice(warned).filter((line) => line.includes('a login of the console failed'));
        expect(failed.length).to.be.within(addresses.length * 10, addresses.length * most + 2);
        expect(lines.join('')).to.not.include(token).and.to.not.include('guess-');
      } finally {
        for (const agent of agents) agent.destroy();
      }
    }).timeout(60_000);

    for (const [title, body, status] of [
      ['of a megabyte', JSON.stringify({ token: 'x'.repeat(1_000_000) }), 413],
      ['that is an object', '{"token":{"toString":"x"}}', 400],
      ['that is a list', `{"token":["${token}"]}`, 400],
      ['in a list', `["${token}"]`, 400],
      ['nested deeply', `${'{"token":'.repeat(400)}1${'}'.repeat(400)}`, 400],
      ['that is missing', '{}', 401],
      ['with something behind it', JSON.stringify({ token: `${token}\u0000` }), 401],
      ['with a space before it', JSON.stringify({ token: ` ${token}x` }), 401],
    ] as const)
      it(`is not begun by a token ${title}`, async () => {
        const reply = await callAt(port, { ...loginCall(''), body, localAddress: '127.0.3.1' });
        expect([reply.status, reply.cookie]).to.deep.equal([status, '']);
      });
  });

  it('is not the same for two logins, nor one that was sent along with it', async () => {
    const chosen = issueSession(sessionKey('another'), Date.now()).value;
    const call = loginCall(token);
    const { cookie } = await callAt(port, {
      ...call,
      headers: { ...call.headers, Cookie: `swarmgate_session=${chosen}` },
    });
    expect(sessionIn(cookie)).to.not.equal(chosen);
    expect(sessionIn(await login())).to.not.equal(sessionIn(cookie));
    const headers = { Cookie: `swarmgate_session=${chosen}` };
    expect((await callAt(port, { path: '/v1/status', headers })).status).to.equal(401);
  });
});

describe('a session that one of two replicas has ended', () => {
  it('is taken by neither, for calls and for streams that are open, and another one goes on', async () => {
    const first = await startProxyUnderTest({ replica: 'one', env: { ADMIN_TOKEN: token } });
    const second = await startProxyUnderTest({ replica: 'two', env: { ADMIN_TOKEN: token }, registry: first.registry });
    try {
      const ports = [first, second].map(({ proxy }) => proxy.admin.port) as [number, number];
      const [one, two] = ports;
      const { cookie } = await callAt(one, loginCall(token));
      const { cookie: kept } = await callAt(two, loginCall(token));
      const statusAt = async (port: number, Cookie: string) =>
        (await callAt(port, { path: '/v1/status', headers: { Cookie } })).status;
      expect(await statusAt(two, cookie)).to.equal(200);
      const stream = request({
        host: '127.0.0.1',
        port: two,
        path: '/v1/events',
        headers: { Cookie: cookie },
        agent: false,
      });
      stream.end();
      const [events] = (await once(stream, 'response')) as [IncomingMessage];
      let isOver = false;
      events.resume().once('close', () => {
        isOver = true;
      });
      const Origin = `http://127.0.0.1:${one}`;
      const out = await callAt(one, { method: 'DELETE', path: '/v1/session', headers: { Cookie: cookie, Origin } });
      expect(out.status).to.equal(200);
      const endedAtMs = performance.now();
      expect(await statusAt(one, cookie)).to.equal(401);
      await eventually('the other refuses it', async () => (await statusAt(two, cookie)) === 401);
      expect(performance.now() - endedAtMs).to.be.below(5_000);
      await eventually('its stream there ends', () => isOver);
      for (const port of ports) expect(await statusAt(port, cookie)).to.equal(401);
      for (const port of ports) expect(await statusAt(port, kept)).to.equal(200);
      const removal = {
        method: 'POST',
        path: '/v1/remove',
        headers: { Cookie: cookie, Origin: `http://127.0.0.1:${two}` },
      };
      expect((await callAt(two, removal)).status).to.equal(401);
    } finally {
      await second.stop();
      await first.stop();
    }
  });
});
