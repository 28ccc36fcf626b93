import { clientPreface, Flag, Frame } from '../../src/http/http2/frames.ts';
import { block, data, frame, goaway, headers, rstStream, settings, windowUpdate } from '../http2-wire.ts';
import type { EndingClient } from './ending-client.ts';
import type { EndingKind } from './ending-kinds.ts';
import { eachEndpointEnding } from './endpoint-endings.ts';

type Run = EndingKind['run'];

const onlyHead = Flag.endHeaders;
const fieldsOf = (method: string, path: string, more: readonly (readonly [string, string])[] = []) =>
  [[':method', method], [':scheme', 'http'], [':path', path], [':authority', 'a.example'], ...more] as const;
const get = (path: string, stream = 1) => headers(stream, fieldsOf('GET', path));
const post = (path: string, more: readonly (readonly [string, string])[] = []) =>
  headers(1, fieldsOf('POST', path, more), onlyHead);
/** RFC 8441. */
const webSocket = (path: string, stream = 1) =>
  headers(
    stream,
    fieldsOf('CONNECT', path, [
      [':protocol', 'websocket'],
      ['sec-websocket-version', '13'],
    ]),
    onlyHead,
  );
const connect = headers(
  1,
  [
    [':method', 'CONNECT'],
    [':authority', 'a.example:443'],
  ],
  onlyHead,
);
const bytes = (...frames: readonly Buffer[]) => Buffer.concat(frames).toString('latin1');
const opening = bytes(clientPreface, settings());
const body100K = Array.from({ length: 7 }, () => data(1, 'x'.repeat(14_000)));

/** A response head or the end of stream 1, or GOAWAY. */
const overMarks = [
  [Frame.headers, Flag.endHeaders, 1],
  [Frame.headers, Flag.endHeaders | Flag.endStream, 1],
  [Frame.rstStream, 0, 1],
  [Frame.goaway, 0, 0],
].map(([type = 0, flags = 0, stream = 0]) => frame(type, flags, stream).toString('latin1', 3));

const sends =
  (...frames: readonly Buffer[]): Run =>
  async (client: EndingClient) => {
    client.write(opening + bytes(...frames));
    await client.receivesAny(overMarks);
  };
const sendsOnly =
  (text: string): Run =>
  async (client: EndingClient) => {
    await client.connected();
    await new Promise<void>((resolve) => client.socket.write(text, 'latin1', () => resolve()));
  };
const begins = (...frames: readonly Buffer[]): Run => sendsOnly(opening + bytes(...frames));
const then =
  (run: Run, end: (client: EndingClient) => void): Run =>
  async (client: EndingClient) => {
    await run(client);
    end(client);
  };
const thenResets = (run: Run) => then(run, (client) => client.reset());
const thenHalfCloses = (run: Run) => then(run, (client) => client.socket.end());
const thenSends = (run: Run, ...frames: readonly Buffer[]) => then(run, (client) => client.write(bytes(...frames)));

const requests: Readonly<Record<string, Run>> = {
  'a request is served': sends(get('/e/ok')),
  'many requests are served': sends(...Array.from({ length: 20 }, (_, at) => get('/e/ok', 2 * at + 1))),
  'a request is served by an HTTP/2 endpoint': sends(get('/h2/ok')),
  'a request is served by an endpoint behind TLS': sends(get('/s/ok')),
  ...eachEndpointEnding((path) => sends(get(path))),
  'no route takes a request with a body behind': sends(post('/nowhere'), ...body100K),
  'the response ends with its connection': sends(get('/e/untilclose')),
  'the client resets before the response': thenResets(begins(get('/e/silent'))),
  'the client resets within the response': thenResets(sends(get('/e/large'))),
  'the client half-closes before the response': thenHalfCloses(begins(get('/e/silent'))),
  'the client half-closes after the response': thenHalfCloses(sends(get('/e/ok'))),
  'the client resets the stream before the response': begins(get('/e/silent'), rstStream(1, 8)),
  'the client resets the stream within the response': thenSends(sends(get('/e/large')), rstStream(1, 8)),
  'the client says GOAWAY before the response': begins(get('/e/silent'), goaway(0)),
  'the client says GOAWAY after the response': thenSends(sends(get('/e/ok')), goaway(0)),
  'the client opens no window': sends(get('/e/large')),
  'the client reads nothing': async (client) => {
    client.socket.pause();
    await begins(windowUpdate(0, 100_000_000), ...[1, 3, 5, 7].map((stream) => get('/e/large', stream)))(client);
  },
};

const bodies: Readonly<Record<string, Run>> = {
  'a body is too large by its length': sends(post('/e/ok', [['content-length', '100000']]), ...body100K),
  'a body grows too large': sends(post('/e/silent'), ...body100K),
  'a body stops': sends(post('/e/silent'), data(1, 'ten bytes.')),
  'a body stops and its client half-closes': thenHalfCloses(begins(post('/e/silent'), data(1, 'ten bytes.'))),
  'a body stops and its client resets the stream': begins(post('/e/silent'), data(1, 'ten bytes.'), rstStream(1, 8)),
  'a body is longer than it says': sends(post('/e/silent', [['content-length', '3']]), data(1, 'ten bytes.', true)),
  'an endpoint responds before the body': sends(post('/e/ok'), data(1, 'ten bytes.')),
  'the client waits for 100 Continue in vain': sends(
    post('/e/silent', [
      ['expect', '100-continue'],
      ['content-length', '900'],
    ]),
  ),
};

const connections: Readonly<Record<string, Run>> = {
  'half a preface comes': sendsOnly(clientPreface.toString('latin1', 0, 12)),
  'half a preface comes and its client half-closes': thenHalfCloses(sendsOnly(clientPreface.toString('latin1', 0, 12))),
  'a preface comes and nothing else': sendsOnly(clientPreface.toString('latin1')),
  'no request comes': begins(),
  'no request comes and its client half-closes': thenHalfCloses(begins()),
  'garbage follows the preface': sends(Buffer.from('GET / HTTP/1.1\r\n\r\n'.repeat(20))),
  'garbage follows a request': sends(get('/e/ok'), Buffer.alloc(20_000, 0xff)),
  'a frame is too large': sends(frame(Frame.data, 0, 1, Buffer.alloc(20_000))),
  'a head does not decode': sends(headers(1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))),
  'a head is too large': sends(headers(1, fieldsOf('GET', '/e/ok', [['x', 'x'.repeat(16_000)]])), get('/e/ok', 3)),
  'a head goes on and never ends': begins(frame(Frame.headers, 0, 1, block(fieldsOf('GET', '/e/ok')))),
  'a head is cut by a half-close': thenHalfCloses(sendsOnly(opening + bytes(get('/e/ok')).slice(0, -4))),
  'a head is cut by a reset': thenResets(sendsOnly(opening + bytes(get('/e/ok')).slice(0, -4))),
};

/** Each as it is, and with 100 KB behind its head. */
const tunnels: Readonly<Record<string, Run>> = Object.fromEntries(
  Object.entries({
    'a WebSocket that no route takes': '/nowhere',
    'a WebSocket that a step refuses': '/closed/ok',
    'a WebSocket whose endpoint refuses the connection': '/dead/ok',
    'a WebSocket whose endpoint refuses it': '/e/refuses',
    'a WebSocket whose endpoint closes': '/e/close',
    'a WebSocket whose endpoint resets': '/e/reset',
    'a WebSocket whose endpoint sends no HTTP': '/e/garble',
    'a WebSocket whose endpoint is silent': '/e/silent',
    'a WebSocket that stays silent': '/e/upgrade',
    'a WebSocket that its endpoint closes': '/e/upgradeclose',
    'a WebSocket that its endpoint resets': '/e/upgradereset',
  }).flatMap(([name, path]) => [
    [name, sends(webSocket(path))],
    [`${name}, 100 KB behind it`, sends(webSocket(path), ...body100K)],
  ]),
);

const ends: Readonly<Record<string, Run>> = {
  'a WebSocket whose client resets': thenResets(sends(webSocket('/e/upgrade'))),
  'a WebSocket whose client half-closes': thenHalfCloses(sends(webSocket('/e/upgrade'))),
  'a WebSocket whose client ends its stream': thenSends(sends(webSocket('/e/upgrade')), data(1, '', true)),
  'a WebSocket whose client resets its stream': thenSends(sends(webSocket('/e/upgrade')), rstStream(1, 8)),
  'a CONNECT': sends(connect),
  'a CONNECT, 100 KB behind it': sends(connect, ...body100K),
};

const plain = Object.entries({ ...requests, ...bodies, ...connections, ...tunnels, ...ends }).map(
  ([name, run]): EndingKind => ({ name: `HTTP/2: ${name}`, port: 'plain', run }),
);

const secured =
  (...frames: readonly Buffer[]): Run =>
  async (client) => {
    const secure = await client.secured('own.example', ['h2']);
    secure.write(opening + bytes(...frames), 'latin1');
    await client.receivesAny(overMarks);
  };

const overTls = Object.entries({
  'a request': secured(get('/e/ok')),
  'nothing behind the handshake': (async (client) => void (await client.secured('own.example', ['h2']))) as Run,
  'a body that no route takes': secured(post('/nowhere'), ...body100K),
  'a WebSocket that its endpoint resets': secured(webSocket('/e/upgradereset'), ...body100K),
  'a WebSocket that stays silent': secured(webSocket('/e/upgrade')),
  'an endpoint that resets': secured(get('/e/reset')),
  'a client that cuts it off': thenResets(secured(get('/e/silent'), get('/e/ok', 3))),
}).map(([name, run]): EndingKind => ({ name: `HTTP/2 over TLS: ${name}`, port: 'secure', run }));

/** Every way in which a client's HTTP/2 connection, and a stream of it, can end. */
export const http2Endings: readonly EndingKind[] = [...plain, ...overTls];
