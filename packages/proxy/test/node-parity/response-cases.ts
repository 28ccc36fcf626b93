import { Readable } from 'node:stream';
import type { RequestHandler } from 'express';
import { codeOf, get, type Note, type ParityCase, thrown, watch } from './parity-rig.ts';

/** One GET, one response. */
function responded(name: string, handler: (note: Note) => RequestHandler, more: Partial<Received> = {}): ParityCase {
  const { sent = get(), method, until } = more;
  return {
    name,
    handlers: (note) => [handler(note)],
    async client(client) {
      client.send(sent);
      await client.response(method);
    },
    ...(until === undefined ? {} : { until }),
  };
}

interface Received {
  readonly sent: string;
  readonly method: string;
  readonly until: (notes: readonly string[]) => boolean;
}

const count = (length: number) => (notes: readonly string[]) => notes.length >= length;
const head = 'HEAD /a HTTP/1.1\r\nHost: a.example\r\n\r\n';

/** Heads, bodies and errors of a response. */
export const responseCases: readonly ParityCase[] = [
  responded('headers that are set after the head', (note) => (_request, response) => {
    response.writeHead(200);
    note(thrown(() => response.setHeader('X-A', '1')));
    note(thrown(() => response.appendHeader('X-A', '1')));
    note(thrown(() => response.removeHeader('X-A')));
    note(thrown(() => response.writeHead(201)));
    note(thrown(() => response.writeContinue()));
    note(thrown(() => response.flushHeaders()));
    response.end();
  }),
  responded('headers, codes and reasons that cannot be sent', (note) => (_request, response) => {
    note(thrown(() => response.setHeader('X A', '1')));
    note(thrown(() => response.setHeader('X-A', 'a\r\nb')));
    note(thrown(() => response.setHeader('X-A', undefined as unknown as string)));
    note(thrown(() => response.appendHeader('X-A', 'a\nb')));
    note(thrown(() => response.writeHead(99)));
    note(thrown(() => response.writeHead(1000)));
    note(thrown(() => response.writeHead(200, 'a\r\nb')));
    note(thrown(() => response.writeHead(200, 'OK', ['X-A'] as never)));
    note(thrown(() => response.addTrailers({ 'X A': '1' })));
    note(thrown(() => response.addTrailers({ 'X-A': 'a\r\nb' })));
    note(response.headersSent);
    response.statusMessage = 'Fine';
    response.end();
  }),
  responded('what is no body', (note) => (_request, response) => {
    note(thrown(() => response.write(null)));
    note(thrown(() => response.write(5 as never)));
    note(thrown(() => response.write({} as never)));
    note(thrown(() => response.end(5 as never)));
    note(response.headersSent, response.writableEnded);
    response.end('x');
  }),
  responded(
    'a write and an end behind the end',
    (note) => (_request, response) => {
      watch(note, 'response', response, ['error', 'finish']);
      response.end('hello');
      note(response.write('more', (error) => note('written', codeOf(error))));
      response.end('more', () => note('never'));
      response.end();
    },
    { until: (notes) => notes.includes('response finish') && notes.some((note) => note.startsWith('written')) },
  ),
  responded(
    'the callback of an end behind the end',
    (note) => (_request, response) => {
      response.end('hello', () => note('ended'));
      response.end(() => note('ended again'));
      response.on('close', () => response.end((error?: Error) => note('late', codeOf(error))));
    },
    { until: count(3) },
  ),
  responded(
    'callbacks of writes and of the end, in order',
    (note) => (_request, response) => {
      response.write('a', () => note('a'));
      response.write('b', 'utf8', () => note('b'));
      response.on('finish', () => note('finish'));
      response.end('c', 'utf8', () => note('end'));
    },
    { until: count(4) },
  ),
  responded('headers of writeHead beside those that were set', () => (_request, response) => {
    response.setHeader('X-A', '1');
    response.setHeader('X-B', ['1', '2']);
    response.writeHead(201, 'Made', { 'x-a': '3', 'X-C': ['4', '5'], 'X-D': 6 });
    response.end('x');
  }),
  responded('a flat list of headers for writeHead', () => (_request, response) => {
    response.setHeader('X-A', '1');
    response.writeHead(200, ['X-A', '3', 'X-A', '4', 'Set-Cookie', 'a', 'Set-Cookie', 'b'] as never);
    response.end('x');
  }),
  responded('a flat list of headers for writeHead alone', () => (_request, response) => {
    response.writeHead(200, ['X-A', '3', 'X-A', '4'] as never);
    response.end('x');
  }),
  responded('implied headers: a body in one piece', (note) => (_request, response) => {
    response.end('hällo');
    note(response.getHeaders(), response.statusMessage);
  }),
  responded('implied headers: no body', () => (_request, response) => {
    response.end();
  }),
  responded('implied headers: a body in pieces', () => (_request, response) => {
    response.write('a');
    response.end('b');
  }),
  responded('implied headers: writeHead, then a body in one piece', () => (_request, response) => {
    response.writeHead(200).end('hello');
  }),
  responded('implied headers: Content-Length removed', () => (_request, response) => {
    response.removeHeader('Content-Length');
    response.end('hello');
  }),
  responded('implied headers: Transfer-Encoding set', () => (_request, response) => {
    response.setHeader('Transfer-Encoding', 'chunked');
    response.end('hello');
  }),
  responded('implied headers: a Date of its own, and none', () => (_request, response) => {
    response.setHeader('X-Sends-Date', String(response.sendDate));
    response.sendDate = false;
    response.end('hello');
  }),
  responded(
    'HEAD with a body',
    (note) => (_request, response) => {
      note(response.write('hello'));
      response.end('hello');
    },
    { sent: head, method: 'HEAD' },
  ),
  responded(
    'HEAD with a body in one piece',
    () => (_request, response) => {
      response.end('hello');
    },
    { sent: head, method: 'HEAD' },
  ),
  responded(
    'HEAD with a length',
    () => (_request, response) => {
      response.setHeader('Content-Length', '5');
      response.end();
    },
    { sent: head, method: 'HEAD' },
  ),
  responded(
    'HEAD of a JSON of Express',
    () => (_request, response) => {
      response.json({ a: 1 });
    },
    { sent: head, method: 'HEAD' },
  ),
  ...[204, 304].map((status) =>
    responded(`${status} with a body`, (note) => (_request, response) => {
      response.statusCode = status;
      note(response.write('hello'));
      response.end('hello');
    }),
  ),
  responded('304 with a length', () => (_request, response) => {
    response.writeHead(304, { 'Content-Length': '5', ETag: '"a"' }).end();
  }),
  responded('205, which Express gives no body', () => (_request, response) => {
    response.status(205).send('hello');
  }),
  responded('several fields of one name', (note) => (_request, response) => {
    response.setHeader('Set-Cookie', ['a=1', 'b=2']);
    response.appendHeader('set-cookie', 'c=3');
    response.setHeader('X-Kept', 'k').setHeader('X-Gone', 'g');
    response.removeHeader('x-gone');
    note(response.getHeaderNames(), response.getHeaders(), response.hasHeader('x-kept'));
    note(response.getHeader('SET-COOKIE') as string[], response.getHeader('x-gone') === undefined);
    response.end();
  }),
  responded('setHeaders with Headers and a Map', (note) => (_request, response) => {
    response.setHeaders(
      new Headers([
        ['x-a', '1'],
        ['set-cookie', 'a'],
        ['set-cookie', 'b'],
      ]),
    );
    response.setHeaders(new Map([['X-B', '2']]));
    note(response.getHeaders());
    response.end('x');
  }),
  {
    name: 'flushHeaders sends the head before there is a body',
    handlers: (note) => [
      (_request, response) => {
        response.flushHeaders();
        note(response.headersSent);
        response.on('close', () => note('close'));
        setTimeout(() => response.end('late'), 20);
      },
    ],
    async client(client) {
      client.send(get());
      await client.has('\r\n\r\n');
      await client.response();
    },
  },
  responded(
    'HTTP/1.0 with a body in pieces',
    () => (request, response) => {
      response.setHeader('X-Version', `${request.httpVersion} ${request.httpVersionMajor} ${request.httpVersionMinor}`);
      response.write('a');
      response.end('b');
    },
    { sent: 'GET / HTTP/1.0\r\nHost: a.example\r\n\r\n' },
  ),
  {
    name: 'Connection: close of middleware',
    handlers: () => [
      (_request, response) => {
        response.setHeader('Connection', 'close');
        response.end('x');
      },
    ],
    async client(client) {
      client.send(get());
      await client.response();
      await client.closed();
    },
  },
  responded('encodings and views of bytes', () => (_request, response) => {
    response.write('6869', 'hex');
    response.write('aGk=', 'base64');
    response.write(new Uint8Array([104, 105]));
    response.write(Buffer.from('xhix').subarray(1, 3));
    response.write('');
    response.end('\xe9', 'latin1');
  }),
  responded('trailers', () => (_request, response) => {
    response.setHeader('Trailer', 'X-Sum');
    response.write('hello');
    response.addTrailers({ 'X-Sum': '1', 'X-List': ['2', '3'] as unknown as string });
    response.end();
  }),
  responded('trailers as pairs, and those of an earlier call dropped', () => (_request, response) => {
    response.write('hello');
    response.addTrailers({ 'X-Old': '0' });
    response.addTrailers([
      ['X-Sum', '1'],
      ['X-Sum', '2'],
    ]);
    response.end('x');
  }),
  {
    name: 'interim responses',
    handlers: (note) => [
      (_request, response) => {
        response.writeProcessing();
        response.writeEarlyHints({ link: ['</a.css>; rel=preload', '</b.css>; rel=preload'], 'x-a': '1' }, () =>
          note('hinted'),
        );
        response.writeEarlyHints({ link: [] });
        note(thrown(() => response.writeEarlyHints({ link: 'no link' })));
        note(response.headersSent);
        response.end('x');
      },
    ],
    async client(client) {
      client.send(get());
      for (let at = 0; at < 3; at += 1) await client.response();
    },
    until: count(3),
  },
  responded(
    'backpressure: writableNeedDrain, then drain once',
    (note) => (_request, response) => {
      note(response.writableNeedDrain);
      response.on('drain', () => {
        note('drain', response.writableNeedDrain);
        response.end();
      });
      response.on('close', () => note('close'));
      // More than a system takes at once: how much that is may differ.
      note('goes on', response.write(Buffer.alloc(16_000_000)));
      note('clogged', response.writableNeedDrain);
    },
    { until: (notes) => notes.includes('close') },
  ),
  responded('cork and uncork', (note) => (_request, response) => {
    response.cork();
    response.write('a');
    response.write('b');
    note(response.writableCorked);
    response.uncork();
    note(response.writableCorked);
    response.end();
  }),
  responded('facts of a response', (note) => (request, response) => {
    note(response.req === request, request.res === response, response.socket === request.socket);
    note(response.writable, response.writableObjectMode, response.writableHighWaterMark, response.sendDate);
    note(response.statusCode, response.statusMessage === undefined, response.finished, response.destroyed);
    note(response.strictContentLength, response.shouldKeepAlive, response.chunkedEncoding);
    response.end('x', () => note('socket', response.socket === null));
  }),
  responded(
    'pipe of a stream',
    (note) => (_request, response) => {
      watch(note, 'response', response, ['pipe', 'unpipe', 'finish']);
      Readable.from(['a', 'b', 'c']).pipe(response);
    },
    { until: count(3) },
  ),
  responded(
    'write after destroy',
    (note) => (_request, response) => {
      response.on('finish', () => {
        response.destroy();
        note(
          response.destroyed,
          response.write('x', (error) => note('written', codeOf(error))),
        );
      });
      response.end('x');
    },
    { until: count(2) },
  ),
];
