import { fileURLToPath } from 'node:url';
import { deflateSync, gzipSync } from 'node:zlib';
import compression from 'compression';
import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
import helmet from 'helmet';
import morgan from 'morgan';
import multer from 'multer';
import onFinished from 'on-finished';
import getRawBody from 'raw-body';
import { codeOf, get, type Note, type ParityCase, post } from './parity-rig.ts';

const big = 'lorem ipsum '.repeat(2_000);
const thisFile = fileURLToPath(import.meta.url);

/** One request to middleware of a package, and a handler behind it that notes what it made. */
function through(
  name: string,
  sent: string,
  middleware: readonly RequestHandler[],
  handler: (note: Note) => RequestHandler,
): ParityCase {
  return {
    name,
    handlers: (note) => [...middleware, handler(note), errors(note)],
    async client(client) {
      client.send(sent);
      await client.response();
    },
  };
}

/** Notes what an error handler of Express gets, as parsers give it. */
function errors(note: Note): RequestHandler {
  const handler: ErrorRequestHandler = (error, _request, response, _next) => {
    note('error', error.type ?? codeOf(error), error.status ?? 0);
    if (!response.headersSent) response.status(error.status ?? 500).end();
  };
  return handler as unknown as RequestHandler;
}

const showBody = (note: Note): RequestHandler => {
  return (request, response) => {
    note(request.body instanceof Buffer ? request.body.toString() : request.body);
    response.json({ ok: true });
  };
};

const json = 'Content-Type: application/json\r\n';
const form = 'Content-Type: application/x-www-form-urlencoded\r\n';

/** A request whose body is bytes. */
const postBytes = (body: Buffer, more: string) =>
  `POST /a HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n${more}\r\n${chunksOf(body)}0\r\n\r\n`;

function chunksOf(body: Buffer): string {
  return `${body.length.toString(16)}\r\n${body.toString('latin1')}\r\n`;
}

const part = (name: string, text: string) =>
  `--xx\r\nContent-Disposition: form-data; name="${name}"${name === 'file' ? '; filename="a.txt"' : ''}\r\n\r\n${text}\r\n`;
const multipart = `${part('text', 'hello')}${part('file', big)}--xx--\r\n`;

/** Packages that read or change requests and responses in ways of their own. */
export const packageCases: readonly ParityCase[] = [
  through('express.json', post('{"a":[1,"ä"]}', json), [express.json()], showBody),
  through('express.json: what is no JSON', post('{"a"', json), [express.json()], showBody),
  through('express.json: too large', post(JSON.stringify(big), json), [express.json({ limit: 100 })], showBody),
  through('express.urlencoded', post('a=1&b=%20x&c[d]=2', form), [express.urlencoded({ extended: true })], showBody),
  through('express.text', post('hällo', 'Content-Type: text/plain; charset=utf-8\r\n'), [express.text()], showBody),
  through('express.raw', post(big, 'Content-Type: application/octet-stream\r\n'), [express.raw()], showBody),
  through('a parser whose type does not match', post('x', 'Content-Type: text/x\r\n'), [express.json()], showBody),
  ...[
    ['gzip', gzipSync(JSON.stringify({ big }))],
    ['deflate', deflateSync(JSON.stringify({ big }))],
  ].map(([coding, body]): ParityCase => {
    const handlers = (note: Note) => [express.json(), showBody(note), errors(note)];
    return {
      name: `express.json: ${coding}`,
      handlers,
      async client(client) {
        client.sendBytes(postBytes(body as Buffer, `${json}Content-Encoding: ${coding}\r\n`));
        await client.response();
      },
    };
  }),
  {
    name: 'express.json: a client that leaves in the middle',
    handlers: (note) => [
      (_request, _response, next) => {
        note('begun');
        next();
      },
      express.json(),
      errors(note),
    ],
    async client(client) {
      client.send(`POST /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100\r\n${json}\r\n{"a":`);
      await client.noted('begun');
      client.leave();
    },
    until: (notes) => notes.length === 2,
  },
  {
    name: 'express.json with Expect: 100-continue',
    handlers: (note) => [express.json(), showBody(note), errors(note)],
    async client(client) {
      client.send(`POST /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\nExpect: 100-continue\r\n${json}\r\n`);
      await client.response();
      client.send('{}');
      await client.response();
    },
  },
  through('raw-body with a limit', post(big), [], (note) => async (request, response) => {
    note((await getRawBody(request, { limit: '1mb', encoding: 'utf8' })).length);
    await getRawBody(request, { limit: '1mb' }).catch((error) => note(error.type));
    response.end();
  }),
  through('raw-body: a length that is not kept to', post('hello'), [], (note) => async (request, response) => {
    await getRawBody(request, { length: 4 }).catch((error) => note(error.type, error.received));
    response.end();
  }),
  through(
    'multer keeps files and fields',
    post(multipart, 'Content-Type: multipart/form-data; boundary=xx\r\n'),
    [multer().any()],
    (note) => (request, response) => {
      const [file] = request.files as Express.Multer.File[];
      note({ ...request.body }, file?.originalname, file?.size, file?.buffer.toString() === big);
      response.end('stored');
    },
  ),
  through(
    'multer: a file that is too large',
    post(multipart, 'Content-Type: multipart/form-data; boundary=xx\r\n'),
    [multer({ limits: { fileSize: 100 } }).any()],
    showBody,
  ),
  {
    name: 'multer: a client that leaves in the middle of a file',
    handlers: (note) => [
      (_request, _response, next) => {
        note('begun');
        next();
      },
      multer().any(),
      errors(note),
    ],
    async client(client) {
      client.send(
        `POST /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 90000\r\nContent-Type: multipart/form-data; boundary=xx\r\n\r\n${multipart.slice(0, 500)}`,
      );
      await client.noted('begun');
      client.leave();
    },
    until: (notes) => notes.length === 2,
  },
  ...['gzip', 'br', 'identity'].map((coding) =>
    through(
      `compression of a body in one piece: ${coding}`,
      get(`Accept-Encoding: ${coding}\r\n`),
      [compression()],
      () => (_request, response) => {
        response.type('text/plain').send(big);
      },
    ),
  ),
  through(
    'compression of a body in pieces, flushed',
    get('Accept-Encoding: gzip\r\n'),
    [compression()],
    (note) => (_request, response) => {
      response.type('text/plain');
      response.write(big);
      (response as unknown as { flush(): void }).flush();
      response.on('finish', () => note('finish'));
      setImmediate(() => response.end(big));
    },
  ),
  through('compression leaves a short body', get('Accept-Encoding: gzip\r\n'), [compression()], () => {
    return (_request, response) => {
      response.send('short');
    };
  }),
  {
    name: 'compression of a HEAD',
    handlers: () => [
      compression(),
      (_request, response) => {
        response.type('text/plain').send(big);
      },
    ],
    async client(client) {
      client.send('HEAD /a HTTP/1.1\r\nHost: a.example\r\nAccept-Encoding: gzip\r\n\r\n');
      await client.response('HEAD');
    },
  },
  {
    name: 'morgan logs once the response is out',
    handlers: (note) => [
      morgan(':method :url :status :res[content-length] HTTP/:http-version :remote-addr', {
        stream: { write: (line: string) => note(line.trim()) },
      }),
      (_request, response) => {
        response.status(201).send('hello');
      },
    ],
    async client(client) {
      client.send(get());
      await client.response();
    },
    until: (notes) => notes.length === 1,
  },
  {
    name: 'morgan logs a client that leaves',
    handlers: (note) => [
      morgan(':method :url :status', { stream: { write: (line: string) => note(line.trim()) } }),
      () => note('begun'),
    ],
    async client(client) {
      client.send(get());
      await client.noted('begun');
      client.leave();
    },
    until: (notes) => notes.length === 2,
  },
  {
    name: 'on-finished of both sides',
    handlers: (note) => [
      (request, response) => {
        onFinished(request, (error) => note('request', codeOf(error)));
        onFinished(response, (error) => note('response', codeOf(error), response.statusCode));
        note(onFinished.isFinished(response));
        request.resume();
        request.on('end', () => response.end('x'));
      },
    ],
    async client(client) {
      client.send(post('body'));
      await client.response();
    },
    until: (notes) => notes.length === 3,
  },
  {
    name: 'on-finished of both sides where the client leaves',
    handlers: (note) => [
      (request, response) => {
        onFinished(request, (error) => note('request', codeOf(error)));
        onFinished(response, (error) => note('response', codeOf(error), onFinished.isFinished(response)));
        note('begun', onFinished.isFinished(request));
      },
    ],
    async client(client) {
      client.send('POST /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100\r\n\r\nhalf');
      await client.noted('begun false');
      client.leave();
    },
    until: (notes) => notes.length === 3,
  },
  through('helmet', get(), [helmet()], () => (_request, response) => {
    response.send('x');
  }),
  through(
    'express.static: a range of a file',
    get('Range: bytes=7-20\r\n', '/package-cases.ts'),
    [express.static(fileURLToPath(new URL('.', import.meta.url)), { etag: false, lastModified: false })],
    showBody,
  ),
  through('res.sendFile', get(), [], (note) => (_request, response) => {
    response.sendFile(thisFile, { etag: false, lastModified: false }, (error) => note('sent', codeOf(error)));
  }),
  through('res.format, res.cookie, res.vary and res.links', get('Accept: application/json\r\n'), [], () => {
    return (_request, response) => {
      response.cookie('a', 'b', { httpOnly: true }).links({ next: '/b' }).vary('Accept');
      response.format({ text: () => response.send('t'), json: () => response.send({ a: 1 }) });
    };
  }),
  through('a router and an app inside', get('', '/x/y'), [], (note) => {
    const app = express();
    app.get('/y', (request, response) => {
      note(request.baseUrl, request.url, request.originalUrl);
      response.send('inner');
    });
    const router = express.Router();
    router.use('/x', app);
    return router as unknown as RequestHandler;
  }),
];
