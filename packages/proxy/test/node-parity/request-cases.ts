import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { RequestHandler } from 'express';
import { codeOf, get, type Note, type ParityCase, post, watch } from './parity-rig.ts';

/** One request, one response. */
function requested(name: string, sent: string, handler: (note: Note) => RequestHandler): ParityCase {
  return {
    name,
    handlers: (note) => [handler(note)],
    async client(client) {
      client.send(sent);
      await client.response();
    },
  };
}

const chunked = 'POST /a HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n';
const expecting = 'POST /a HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n';
const several =
  'X-A: 1\r\nx-a: 2\r\nCookie: a=1\r\nCookie: b=2\r\nUser-Agent: one\r\nUser-Agent: two\r\nAccept: x\r\nAccept: y\r\n';
/** Fields that the proxy adds, or that belong to the connection. */
const ofProxy = /^(x-forwarded-.*|x-request-id|swarmgate-hops|via|connection|content-length|transfer-encoding)$/i;

function ownNames(flat: readonly string[]): string[] {
  return flat.filter((_each, at) => !ofProxy.test(flat[at - (at % 2)] as string));
}

/** What middleware reads of a request, and how it reads a body. */
export const requestCases: readonly ParityCase[] = [
  requested('method, target and version', get('', '/a/b?x=1&x=2'), (note) => (request, response) => {
    note(request.method, request.url, request.originalUrl, request.path, request.httpVersion);
    note(request.httpVersionMajor, request.httpVersionMinor, request.protocol, request.secure, request.hostname);
    note(
      request.baseUrl,
      request.xhr,
      (request as { upgrade?: unknown }).upgrade,
      request.statusCode,
      request.readableHighWaterMark,
    );
    response.end();
  }),
  requested('headers of one name, in every form', get(several), (note) => (request, response) => {
    const { host, cookie, accept } = request.headers;
    note(host, cookie, accept, request.headers['x-a'], request.headers['user-agent']);
    note(request.headersDistinct['x-a'], request.headersDistinct.cookie, request.headersDistinct['user-agent']);
    note(ownNames(request.rawHeaders), request.get('X-A'), request.get('referrer') ?? null);
    response.end();
  }),
  requested('the socket of a request', get(), (note) => (request, response) => {
    const { socket } = request;
    note(socket === request.connection, socket.remoteAddress, socket.remoteFamily, request.ip, request.ips);
    note(socket.destroyed, socket.readable, socket.writable, socket.readyState, socket.connecting, socket.closed);
    note('encrypted' in socket && socket.encrypted !== undefined, socket.timeout ?? 0);
    note(socket.setKeepAlive(true) === socket, socket.setNoDelay(true) === socket, socket.ref() === socket);
    response.end();
  }),
  requested(
    'a body in chunks with trailers',
    `${chunked}5\r\nhello\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\nX-B: 3\r\n\r\n`,
    (note) => {
      return (request, response) => {
        note(request.trailers, request.rawTrailers);
        request.on('end', () => {
          note(request.trailers, request.rawTrailers, request.trailersDistinct, request.complete);
          response.end();
        });
        request.resume();
      };
    },
  ),
  requested('trailers, for a reader that reads the whole body first', `${chunked}0\r\nX-Sum: 1\r\n\r\n`, (note) => {
    return async (request, response) => {
      for await (const bytes of request) note(String(bytes));
      note(request.trailers, request.rawTrailers);
      response.end();
    };
  }),
  requested('setEncoding with a character in two pieces', post('aäöü'.repeat(3)), (note) => (request, response) => {
    request.setEncoding('utf8');
    let text = '';
    request.on('data', (piece: string) => {
      text += piece;
    });
    request.on('end', () => {
      note(text, request.readableEncoding);
      response.end(text);
    });
  }),
  requested('async iteration', post('the body'), (note) => async (request, response) => {
    let text = '';
    for await (const bytes of request) text += String(bytes);
    note(request.complete, request.destroyed, request.readableEnded);
    response.end(text);
  }),
  requested('pipeline of promises into a Writable', post('the body'), (note) => async (request, response) => {
    const pieces: string[] = [];
    const taken = new Writable({
      write(bytes, _encoding, done) {
        pieces.push(String(bytes));
        done();
      },
    });
    await pipeline(request, taken);
    note(pieces.join(''));
    response.end();
  }),
  {
    name: 'pause and resume of a body that comes in pieces',
    handlers: (note) => [
      (request, response) => {
        request.on('data', (bytes: Buffer) => {
          note('data', bytes.toString(), request.isPaused());
          request.pause();
          setTimeout(() => {
            note('resumed', request.isPaused());
            request.resume();
          }, 10);
        });
        request.on('end', () => response.end());
      },
    ],
    async client(client) {
      client.send('POST /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nab');
      await client.noted('resumed true');
      client.send('cd');
      await client.response();
    },
  },
  {
    name: 'the body with readable and read()',
    handlers: (note) => [
      (request, response) => {
        let text = '';
        request.on('readable', () => {
          for (let bytes = request.read(2); bytes !== null; bytes = request.read(2)) text += String(bytes);
        });
        request.on('end', () => {
          note(text);
          response.end();
        });
      },
    ],
    async client(client) {
      client.send('POST /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nab');
      client.send('cde');
      await client.response();
    },
  },
  {
    name: '100 Continue goes to the client when middleware reads the body',
    handlers: (note) => [
      (request, response) => {
        note('begun', request.headers.expect);
        request.on('data', (bytes: Buffer) => note('data', bytes.toString()));
        request.on('end', () => response.end('read'));
      },
    ],
    async client(client) {
      client.send(expecting);
      await client.response();
      client.send('hello');
      await client.response();
    },
  },
  {
    name: '100 Continue of middleware itself goes to the client',
    handlers: (note) => [
      (request, response) => {
        response.writeContinue();
        note('continued');
        request.on('data', () => undefined);
        request.on('end', () => response.end('read'));
      },
    ],
    // node:http sends one of its own before: what follows the last one is compared.
    async client(client) {
      client.send(expecting);
      await client.has('100 Continue\r\n\r\n');
      client.send('hello');
      await client.has('read');
    },
  },
  {
    name: 'silence while the body is awaited: timeout on the request, then nothing is destroyed',
    handlers: (note) => [
      (request, response) => {
        const { socket } = request;
        request.setTimeout(30, (...sockets: unknown[]) => {
          note('request timeout', sockets[0] === socket);
          response.end('late');
        });
        request.resume();
      },
    ],
    async client(client) {
      client.send('POST /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nab');
      await client.response();
    },
  },
  {
    name: 'silence before a response: timeout on the response',
    handlers: (note) => [
      (request, response) => {
        const { socket } = request;
        response.setTimeout(30, (...sockets: unknown[]) => {
          note('response timeout', sockets[0] === socket);
          response.end('late');
        });
      },
    ],
    async client(client) {
      client.send(get());
      await client.response();
    },
  },
  {
    name: 'an error that ends an async iteration goes to an error handler, which responds',
    handlers: (note) => [
      async (request) => {
        for await (const bytes of request) note('read', String(bytes));
        throw new Error('refused');
      },
      ((
        error: unknown,
        request: unknown,
        response: { statusCode: number; end(text: string): void },
        _next: unknown,
      ) => {
        note('handled', codeOf(error), typeof request);
        response.statusCode = 418;
        response.end('no');
      }) as unknown as RequestHandler,
    ],
    async client(client) {
      client.send(post('body'));
      await client.response();
    },
  },
  {
    name: 'two requests on one connection',
    handlers: (note) => [
      (request, response) => {
        watch(note, `${request.url} request`, request, ['end', 'close']);
        watch(note, `${request.url} response`, response, ['finish', 'close']);
        request.resume();
        request.on('end', () => response.end(request.url));
      },
    ],
    async client(client) {
      client.send(get('', '/1'));
      await client.response();
      await client.noted('/1 response close');
      client.send(post('x').replace('/a', '/2'));
      await client.response();
    },
    until: (notes) => notes.includes('/2 response close'),
  },
];
