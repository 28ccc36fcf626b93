import type { EndingClient } from './ending-client.ts';
import type { EndingPorts } from './endings-rig.ts';
import { eachEndpointEnding } from './endpoint-endings.ts';
import { http2Endings } from './http2-endings.ts';

export interface EndingKind {
  readonly name: string;
  readonly port: keyof EndingPorts;
  /** Up to the point from where the connection has to end, whatever its client does. */
  readonly run: (client: EndingClient) => Promise<void>;
}

const host = 'Host: a.example\r\n';
const upgrade = `${host}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`;
const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\n${host}${more}\r\n`;
const behind100K = 'x'.repeat(100_000);

/** Sends, then waits for the status line or for the end. */
const sends =
  (text: string, waitsFor = 'HTTP/1.1 ') =>
  async (client: EndingClient): Promise<void> => {
    client.write(text);
    await client.receives(waitsFor);
  };
const sendsOnly =
  (text: string) =>
  async (client: EndingClient): Promise<void> => {
    await client.connected();
    await new Promise<void>((resolve) => client.socket.write(text, 'latin1', () => resolve()));
  };
const thenResets =
  (run: (client: EndingClient) => Promise<void>) =>
  async (client: EndingClient): Promise<void> => {
    await run(client);
    client.reset();
  };
const thenHalfCloses =
  (run: (client: EndingClient) => Promise<void>) =>
  async (client: EndingClient): Promise<void> => {
    await run(client);
    client.socket.end();
  };

const onPlain = (entries: Readonly<Record<string, EndingKind['run']>>): readonly EndingKind[] =>
  Object.entries(entries).map(([name, run]) => ({ name, port: 'plain', run }));

const requests = onPlain({
  'a request is served': sends(get('/e/ok')),
  'a request is served with Connection: close': sends(get('/e/ok', 'Connection: close\r\n')),
  'an HTTP/1.0 request is served': sends('GET /e/ok HTTP/1.0\r\n\r\n'),
  'a request is served until the endpoint closes': sends(get('/e/untilclose'), 'all of it'),
  ...eachEndpointEnding((path) => sends(get(path))),
  'no route takes a request with a body behind': sends(
    `POST /nowhere HTTP/1.1\r\n${host}Content-Length: 200000\r\n\r\n${behind100K}`,
  ),
  'the client resets before the response': thenResets(sendsOnly(get('/e/silent'))),
  'the client resets within the response': thenResets(sends(get('/e/large'))),
  'the client half-closes before the response': thenHalfCloses(sendsOnly(get('/e/silent'))),
  'the client half-closes after the response': thenHalfCloses(sends(get('/e/ok'), 'ok')),
  'the client reads no response': async (client) => {
    client.socket.pause();
    await sendsOnly(get('/e/large').repeat(4))(client);
  },
});

const heads = onPlain({
  'the client sends nothing': async (client) => void (await client.connected()),
  'the client ends without a byte': async (client) => void (await client.connected()).socket.end(),
  'half a head comes': sendsOnly('GET /e/ok HTTP/1.1\r\nHos'),
  'half a head comes and its client half-closes': thenHalfCloses(sendsOnly('GET /e/ok HTTP/1.1\r\nHos')),
  'half a head comes and its client resets': thenResets(sendsOnly('GET /e/ok HTTP/1.1\r\nHos')),
  'a head is too large': sends(`GET /e/ok HTTP/1.1\r\n${host}X: ${'x'.repeat(70_000)}\r\n\r\n`),
  'what comes is no HTTP': sends('\x16\x03\x01\x00\x05hello\r\n\r\n'),
  'framing is ambiguous': sends(
    `POST /e/ok HTTP/1.1\r\n${host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc`,
  ),
  'a host is bad': sends('GET /e/ok HTTP/1.1\r\nHost: a b\r\n\r\n'),
  'garbage follows a request': sends(`${get('/e/ok')}\x00\x01garbage\r\n\r\n`),
  'garbage follows a last request': sends(`${get('/e/ok', 'Connection: close\r\n')}${behind100K}`),
  'an expectation is unknown': sends(`POST /e/ok HTTP/1.1\r\n${host}Expect: tea\r\nContent-Length: 1\r\n\r\n`),
});

const bodies = onPlain({
  'a body is too large by its length': sends(
    `POST /e/ok HTTP/1.1\r\n${host}Content-Length: 100000\r\n\r\n${behind100K}`,
  ),
  'a body grows too large': sends(
    `POST /e/silent HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n7d0\r\n${'x'.repeat(2_000)}\r\n7d0\r\n`,
  ),
  'a body stops': sends(`POST /e/silent HTTP/1.1\r\n${host}Content-Length: 900\r\n\r\nten bytes.`),
  'a body stops and its client half-closes': thenHalfCloses(
    sendsOnly(`POST /e/silent HTTP/1.1\r\n${host}Content-Length: 900\r\n\r\nten bytes.`),
  ),
  'a chunk size is no number': sends(
    `POST /e/silent HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n`,
  ),
  'the client waits for 100 Continue in vain': sends(
    `POST /e/silent HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 900\r\n\r\n`,
  ),
  'an endpoint responds before the body': sends(`POST /e/ok HTTP/1.1\r\n${host}Content-Length: 900\r\n\r\nten bytes.`),
});

/** Each as it is, with a byte behind the head, and with so many that they do not fit into the buffers of one read. */
const upgrades = Object.entries({
  'an upgrade that no route takes': '/nowhere',
  'an upgrade that a step refuses': '/closed/ok',
  'an upgrade whose endpoint refuses the connection': '/dead/ok',
  'an upgrade whose endpoint refuses it': '/e/refuses',
  'an upgrade whose endpoint refuses it and closes': '/e/refusesandcloses',
  'an upgrade whose endpoint closes': '/e/close',
  'an upgrade whose endpoint resets': '/e/reset',
  'an upgrade whose endpoint sends no HTTP': '/e/garble',
  'an upgrade whose endpoint is silent': '/e/silent',
  'a tunnel that stays silent': '/e/upgrade',
  'a tunnel that its endpoint closes': '/e/upgradeclose',
  'a tunnel that its endpoint resets': '/e/upgradereset',
}).flatMap(([name, path]) =>
  Object.entries({ '': '', ', one byte behind it': '!', ', 200 KB behind it': behind100K + behind100K }).map(
    ([what, behind]): EndingKind => ({
      name: name + what,
      port: 'plain',
      run: sends(`GET ${path} HTTP/1.1\r\n${upgrade}\r\n${behind}`),
    }),
  ),
);

const tunnels = onPlain({
  'a tunnel whose client resets': thenResets(sends(`GET /e/upgrade HTTP/1.1\r\n${upgrade}\r\n`, 'hello')),
  'a tunnel whose client half-closes': thenHalfCloses(sends(`GET /e/upgrade HTTP/1.1\r\n${upgrade}\r\n`, 'hello')),
  'an upgrade whose client resets': thenResets(sendsOnly(`GET /e/silent HTTP/1.1\r\n${upgrade}\r\nx`)),
  'an upgrade whose client half-closes': thenHalfCloses(sendsOnly(`GET /e/silent HTTP/1.1\r\n${upgrade}\r\nx`)),
  'an upgrade to another protocol': sends(`GET /e/ok HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`),
  'a CONNECT': sends('CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n'),
  'a CONNECT, 100 KB behind it': sends(`CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n${behind100K}`),
  'a CONNECT whose client resets': thenResets(
    sendsOnly(`CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n${behind100K}`),
  ),
});

const relays: readonly EndingKind[] = [
  { name: 'a relayed connection that its endpoint closes', port: 'relay', run: sends(get('/e/untilclose'), 'all') },
  { name: 'a relayed connection that its endpoint resets', port: 'relay', run: sends(get('/e/reset')) },
  { name: 'a relayed connection that stays silent', port: 'relay', run: sends(get('/e/ok'), 'ok') },
  { name: 'a relayed connection whose client resets', port: 'relay', run: thenResets(sends(get('/e/ok'), 'ok')) },
  { name: 'a relayed connection, half-closed', port: 'relay', run: thenHalfCloses(sends(get('/e/ok'), 'ok')) },
  { name: 'a relay to an endpoint that refuses', port: 'deadRelay', run: sends(`x${behind100K}`) },
  { name: 'a relay by name without a hello', port: 'named', run: sends(`hello\r\n${behind100K}`) },
  { name: 'a relay by name, half a hello', port: 'named', run: sendsOnly('\x16\x03\x01\x02\x00\x01') },
  {
    name: 'a relay by name that is not served',
    port: 'named',
    run: async (client) => void (await client.secured('other.example')),
  },
];

const onTls: readonly EndingKind[] = [
  { name: 'no TLS on a TLS port', port: 'secure', run: sends(get('/e/ok')) },
  { name: 'half a ClientHello', port: 'secure', run: sendsOnly('\x16\x03\x01\x02\x00\x01') },
  { name: 'nothing on a TLS port', port: 'secure', run: sendsOnly('') },
  { name: 'a ClientHello and a reset', port: 'secure', run: thenResets(sendsOnly('\x16\x03\x01\x02\x00\x01')) },
  {
    name: 'a TLS connection whose client cuts it off',
    port: 'secure',
    run: async (client) => {
      await client.secured('own.example');
      client.reset();
    },
  },
  ...Object.entries({
    'a request over TLS': get('/e/ok'),
    'an upgrade over TLS that no route takes, 100 KB behind it': `GET /nowhere HTTP/1.1\r\n${upgrade}\r\n${behind100K}`,
    'an upgrade over TLS whose endpoint resets, one byte behind it': `GET /e/reset HTTP/1.1\r\n${upgrade}\r\n!`,
    'a CONNECT over TLS, 100 KB behind it': `CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n${behind100K}`,
  }).map(
    ([name, text]): EndingKind => ({
      name,
      port: 'secure',
      run: async (client) => {
        (await client.secured('own.example')).write(text, 'latin1');
        await client.receives('HTTP/1.1 ');
      },
    }),
  ),
];

const sendsSecured =
  (servername: string, text: string) =>
  async (client: EndingClient): Promise<void> => {
    (await client.secured(servername)).write(text, 'latin1');
    await client.receives('HTTP/1.1 ');
  };

/** A port whose connections are distinguished by their ClientHello. */
const shared: readonly EndingKind[] = [
  { name: 'silent before its ClientHello', port: 'shared', run: async (client) => void (await client.connected()) },
  { name: 'half a ClientHello that is looked at', port: 'shared', run: sendsOnly('\x16\x03\x01\x02\x00\x01') },
  {
    name: 'a ClientHello cut by a half-close',
    port: 'shared',
    run: thenHalfCloses(sendsOnly('\x16\x03\x01\x02\x00\x01')),
  },
  {
    name: 'a ClientHello cut by a reset',
    port: 'shared',
    run: thenResets(sendsOnly('\x16\x03\x01\x02\x00\x01')),
  },
  { name: 'a ClientHello that is too large', port: 'shared', run: sends(`\x16\x03\x01\x3f\xff\x01\x01${behind100K}`) },
  { name: 'no TLS where it is looked for', port: 'shared', run: sends(get('/e/ok')) },
  { name: 'a request beside relayed names', port: 'shared', run: sendsSecured('own.example', get('/e/ok')) },
  { name: 'TLS that is passed through', port: 'shared', run: sendsSecured('relayed.example', get('/e/ok')) },
  { name: 'TLS that is ended and relayed', port: 'shared', run: sendsSecured('plain.example', get('/e/ok')) },
  {
    name: 'TLS that is ended and relayed, reset',
    port: 'shared',
    run: thenResets(sendsSecured('plain.example', get('/e/ok'))),
  },
  {
    name: 'TLS that is ended, whose endpoint resets',
    port: 'shared',
    run: sendsSecured('plain.example', get('/e/reset')),
  },
];

/** What else can stand between a request and its endpoint's connection: TLS, HTTP/2, a body that is made here, a hash. */
const through = onPlain({
  'the endpoint behind TLS serves': sends(get('/s/ok')),
  'the endpoint behind TLS resets': sends(get('/s/reset')),
  'the endpoint behind TLS is silent': sends(get('/s/silent')),
  'the endpoint behind TLS stalls': sends(get('/s/stalled')),
  'a tunnel through TLS that stays silent': sends(`GET /s/upgrade HTTP/1.1\r\n${upgrade}\r\n`, 'hello'),
  'a tunnel through TLS that its endpoint resets': sends(`GET /s/upgradereset HTTP/1.1\r\n${upgrade}\r\n${behind100K}`),
  'an HTTP/2 endpoint serves': sends(get('/h2/ok')),
  'the client of an HTTP/2 endpoint resets': thenResets(sendsOnly(get('/h2/ok'))),
  'a response is compressed': sends(get('/zip/text', 'Accept-Encoding: gzip\r\n')),
  'a client resets within a compressed response': thenResets(sends(get('/zip/text', 'Accept-Encoding: gzip\r\n'))),
  'a password is wrong': sends(get('/members/ok', 'Authorization: Basic amFuZTp3cm9uZw==\r\n')),
  'a client resets while its password is hashed': thenResets(
    sendsOnly(get('/members/ok', 'Authorization: Basic amFuZTpzZWNyZXQ=\r\n')),
  ),
});

const proxyHeader = 'PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n';
const behindProxies: readonly EndingKind[] = [
  { name: 'a request behind a PROXY header', port: 'proxied', run: sends(proxyHeader + get('/e/ok')) },
  {
    name: 'a CONNECT behind a PROXY header',
    port: 'proxied',
    run: sends(`${proxyHeader}CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n${behind100K}`),
  },
  { name: 'no PROXY header', port: 'proxied', run: sends(get('/e/ok')) },
  { name: 'half a PROXY header', port: 'proxied', run: sendsOnly('PROXY TCP4 192.0') },
  { name: 'half a PROXY header, half-closed', port: 'proxied', run: thenHalfCloses(sendsOnly('PROXY TCP4 192.0')) },
  { name: 'a PROXY header and no TLS', port: 'proxiedSecure', run: sends(proxyHeader + get('/e/ok')) },
  { name: 'a PROXY header and nothing', port: 'proxiedSecure', run: sendsOnly(proxyHeader) },
];

/** Every way in which a client's connection can end. */
export const endingKinds: readonly EndingKind[] = [
  ...requests,
  ...heads,
  ...bodies,
  ...upgrades,
  ...tunnels,
  ...relays,
  ...onTls,
  ...shared,
  ...behindProxies,
];

/** Each costs more processor time, so that a thousand of each would take minutes. */
export const dearEndingKinds: readonly EndingKind[] = [...through, ...http2Endings];
