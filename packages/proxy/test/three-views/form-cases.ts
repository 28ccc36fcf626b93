import { compression, usualTypes } from '../../src/middleware/compression.ts';
import { added, record, type SeenResponse, type ViewCase } from './view-case.ts';

const compresses = compression({ algorithms: ['zstd', 'br', 'gzip'], types: usualTypes });
const text = 'Content-Type: text/plain\r\n';
const takesGzip = ['Accept-Encoding: gzip'];
const varies = 'Vary: Accept-Encoding';

interface FormCase {
  readonly name: string;
  readonly method?: string;
  readonly fields?: readonly string[];
  readonly http10?: true;
  /** Status line and fields, then perhaps a body. */
  readonly reply: string;
  readonly response: SeenResponse;
  /** Default: the route compresses. */
  readonly steps?: ViewCase['steps'];
}

function caseOf({ name, method = 'GET', fields = takesGzip, http10, reply, response, steps }: FormCase): ViewCase {
  const lines = ['Host: shop.example', ...fields];
  const closes = http10 === true;
  return {
    name,
    does: [closes ? `${method} /a HTTP/1.0\r\n${lines.join('\r\n')}\r\n\r\n` : { method, target: '/a', fields }],
    steps: steps ?? [compresses],
    endpoints: [{ replies: [reply] }],
    client: { responses: [response], connection: closes ? 'closed' : 'open' },
    endpoint: [{ line: `${method} /a HTTP/1.1`, fields: [...lines, ...added('shop.example', closes ? '1.0' : '1.1')] }],
    outcomes: ['responded'],
    records: [record({ method, status: response.status, protocol: closes ? 'HTTP/1.0' : 'HTTP/1.1' })],
  };
}

const ok = (fields: readonly string[], body = ''): SeenResponse => ({ status: 200, reason: 'OK', fields, body });
const unchanged = (fields: readonly string[]): SeenResponse => ({ status: 304, reason: 'Not Modified', fields });
const chunked = 'Transfer-Encoding: chunked';
const sum = { body: 'hello', trailers: ['X-Sum: 1'] };

/** Heads that stand for a body: what HEAD, 304, 206 and 204 say of it, and what `Trailer` announces. */
export const formCases: readonly ViewCase[] = [
  caseOf({
    name: 'HEAD of what GET compresses',
    method: 'HEAD',
    reply: `HTTP/1.1 200 OK\r\n${text}Content-Length: 9000\r\nETag: "x"\r\nAccept-Ranges: bytes\r\n\r\n`,
    response: ok(['Content-Type: text/plain', 'ETag: W/"x"', varies, 'Content-Encoding: gzip']),
  }),
  caseOf({
    name: 'HEAD in the form that the client prefers',
    method: 'HEAD',
    fields: ['Accept-Encoding: gzip, br, zstd'],
    reply: `HTTP/1.1 200 OK\r\n${text}Content-Length: 9000\r\n\r\n`,
    response: ok(['Content-Type: text/plain', varies, 'Content-Encoding: zstd']),
  }),
  caseOf({
    name: 'HEAD for a client that takes no compression',
    method: 'HEAD',
    fields: [],
    reply: `HTTP/1.1 200 OK\r\n${text}Content-Length: 9000\r\nETag: "x"\r\n\r\n`,
    response: ok(['Content-Type: text/plain', 'Content-Length: 9000', 'ETag: "x"', varies]),
  }),
  caseOf({
    name: 'HEAD of what is too small to compress',
    method: 'HEAD',
    reply: `HTTP/1.1 200 OK\r\n${text}Content-Length: 20\r\nETag: "x"\r\n\r\n`,
    response: ok(['Content-Type: text/plain', 'Content-Length: 20', 'ETag: "x"']),
  }),
  caseOf({
    name: 'HEAD of an image',
    method: 'HEAD',
    reply: 'HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 9000\r\n\r\n',
    response: ok(['Content-Type: image/png', 'Content-Length: 9000']),
  }),
  caseOf({
    name: 'HEAD with both lengths: the one beside chunks counts for nothing',
    method: 'HEAD',
    steps: [],
    reply: `HTTP/1.1 200 OK\r\n${text}Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n`,
    response: ok(['Content-Type: text/plain']),
  }),
  caseOf({
    name: 'HEAD with both lengths of what GET compresses',
    method: 'HEAD',
    reply: `HTTP/1.1 200 OK\r\n${text}Transfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n`,
    response: ok(['Content-Type: text/plain', varies, 'Content-Encoding: gzip']),
  }),
  caseOf({
    name: '304 with both lengths',
    steps: [],
    reply: 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n',
    response: unchanged(['ETag: "x"']),
  }),
  caseOf({
    name: '304 to a client that has the compressed form',
    fields: [...takesGzip, 'If-None-Match: "a", W/"x"'],
    reply: 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 9000\r\nCache-Control: max-age=9\r\n\r\n',
    response: unchanged(['ETag: W/"x"', 'Cache-Control: max-age=9', varies]),
  }),
  caseOf({
    name: '304 to a client that has the form as the endpoint sent it',
    fields: [...takesGzip, 'If-None-Match: "x"'],
    reply: 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
    response: unchanged(['ETag: "x"', varies]),
  }),
  caseOf({
    name: '304 to a client that takes no compression any more',
    fields: ['If-None-Match: W/"x"'],
    reply: 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
    response: unchanged(['ETag: "x"', varies]),
  }),
  caseOf({
    name: '304 that tells its type',
    reply: `HTTP/1.1 304 Not Modified\r\n${text}ETag: "x"\r\n\r\n`,
    response: unchanged(['Content-Type: text/plain', 'ETag: W/"x"', varies]),
  }),
  caseOf({
    name: '304 of an image that tells its type',
    reply: 'HTTP/1.1 304 Not Modified\r\nContent-Type: image/png\r\nETag: "x"\r\n\r\n',
    response: unchanged(['Content-Type: image/png', 'ETag: "x"']),
  }),
  caseOf({
    name: '206: bytes and validator of the form as sent, and Vary',
    fields: [...takesGzip, 'Range: bytes=0-1'],
    reply: `HTTP/1.1 206 Partial Content\r\n${text}Content-Range: bytes 0-1/9000\r\nETag: "x"\r\nContent-Length: 2\r\n\r\nok`,
    response: {
      status: 206,
      reason: 'Partial Content',
      fields: ['Content-Type: text/plain', 'Content-Range: bytes 0-1/9000', 'ETag: "x"', 'Content-Length: 2', varies],
      body: 'ok',
    },
  }),
  caseOf({
    name: '206 of what is too small to compress',
    fields: [...takesGzip, 'Range: bytes=0-1'],
    reply: `HTTP/1.1 206 Partial Content\r\n${text}Content-Range: bytes 0-1/20\r\nContent-Length: 2\r\n\r\nok`,
    response: {
      status: 206,
      reason: 'Partial Content',
      fields: ['Content-Type: text/plain', 'Content-Range: bytes 0-1/20', 'Content-Length: 2'],
      body: 'ok',
    },
  }),
  caseOf({
    name: '206 with several ranges, whose type is their own',
    fields: [...takesGzip, 'Range: bytes=0-1,3-4'],
    reply:
      'HTTP/1.1 206 Partial Content\r\nContent-Type: multipart/byteranges; boundary=b\r\nContent-Length: 300\r\n\r\n' +
      'x'.repeat(300),
    response: {
      status: 206,
      reason: 'Partial Content',
      fields: ['Content-Type: multipart/byteranges; boundary=b', 'Content-Length: 300', varies],
      body: 'x'.repeat(300),
    },
  }),
  caseOf({
    name: '204: no body in any form, and the validator as sent, which If-Match needs',
    method: 'PUT',
    reply: `HTTP/1.1 204 No Content\r\n${text}ETag: "x"\r\nContent-Length: 0\r\n\r\n`,
    response: { status: 204, reason: 'No Content', fields: ['Content-Type: text/plain', 'ETag: "x"'] },
  }),
  caseOf({
    name: 'Trailer beside chunks',
    steps: [],
    reply: `HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\n${chunked}\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n`,
    response: { ...ok(['Trailer: X-Sum', chunked]), ...sum },
  }),
  caseOf({
    name: 'Trailer with a name that may not cross',
    steps: [],
    reply: `HTTP/1.1 200 OK\r\nTrailer: X-Sum, Content-Length\r\n${chunked}\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nContent-Length: 1\r\n\r\n`,
    response: { ...ok(['Trailer: X-Sum', chunked]), ...sum },
  }),
  caseOf({
    name: 'Trailer with no name that may cross',
    steps: [],
    reply: `HTTP/1.1 200 OK\r\nTrailer: Content-Length\r\n${chunked}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    response: ok([chunked], 'hello'),
  }),
  caseOf({
    name: 'Trailer beside a length, behind which nothing comes',
    steps: [],
    reply: 'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nContent-Length: 5\r\n\r\nhello',
    response: ok(['Content-Length: 5'], 'hello'),
  }),
  caseOf({
    name: 'Trailer of a 304',
    steps: [],
    reply: 'HTTP/1.1 304 Not Modified\r\nTrailer: X-Sum\r\nETag: "x"\r\n\r\n',
    response: unchanged(['ETag: "x"']),
  }),
  caseOf({
    name: 'Trailer for HTTP/1.0, which knows none',
    http10: true,
    steps: [],
    reply: `HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\n${chunked}\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n`,
    response: ok(['Connection: close'], 'hello'),
  }),
  caseOf({
    name: 'Trailer of a HEAD whose GET has trailers',
    method: 'HEAD',
    steps: [],
    reply: `HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\n${chunked}\r\n\r\n`,
    response: ok(['Trailer: X-Sum']),
  }),
  caseOf({
    name: 'Trailer of a HEAD whose GET has a length',
    method: 'HEAD',
    steps: [],
    reply: 'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nContent-Length: 5\r\n\r\n',
    response: ok(['Content-Length: 5']),
  }),
];
