import { added, local, okBytes, okResponse, record, refused, type ViewCase } from './view-case.ts';

const once = { outcomes: ['responded'], client: { responses: [okResponse], connection: 'open' } } as const;
const host = 'Host: shop.example';
const withLength = (bytes: number) => [host, `Content-Length: ${bytes}`, ...added()];
const chunked = (...fields: readonly string[]) => [host, ...fields, ...added(), 'Transfer-Encoding: chunked'];

/** Bodies of requests, and what a client gets before it sends one. */
export const bodyCases: readonly ViewCase[] = [
  {
    ...once,
    name: 'a POST with a body of a known length',
    does: [{ method: 'POST', target: '/a', body: 'hello' }],
    endpoint: [{ line: 'POST /a HTTP/1.1', fields: withLength(5), body: 'hello' }],
    records: [record({ method: 'POST' })],
  },
  {
    ...once,
    name: 'a POST whose body comes after its head',
    does: [
      { method: 'POST', target: '/a', contentLength: 5 },
      { endpointHas: 1 },
      { sends: 'he', more: true },
      { sends: 'llo' },
    ],
    endpoint: [{ line: 'POST /a HTTP/1.1', fields: withLength(5), body: 'hello' }],
    records: [record({ method: 'POST' })],
  },
  {
    ...once,
    name: 'a POST with an empty body',
    does: [{ method: 'POST', target: '/a', body: '' }],
    endpoint: [{ line: 'POST /a HTTP/1.1', fields: withLength(0) }],
    records: [record({ method: 'POST' })],
  },
  {
    ...once,
    name: 'a body of unknown length with trailers',
    does: [{ method: 'PUT', target: '/a', body: 'hello', unsized: true, trailers: ['X-Sum: 1', 'Host: evil'] }],
    endpoint: [{ line: 'PUT /a HTTP/1.1', fields: chunked(), body: 'hello', trailers: ['X-Sum: 1'] }],
    records: [record({ method: 'PUT' })],
  },
  {
    ...once,
    name: 'chunks with extensions, which end here',
    does: [
      `POST /a HTTP/1.1\r\n${host}\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nX-Sum: 1\r\n\r\n`,
    ],
    endpoint: [{ line: 'POST /a HTTP/1.1', fields: chunked('Trailer: X-Sum'), body: 'hello', trailers: ['X-Sum: 1'] }],
    records: [record({ method: 'POST' })],
  },
  {
    name: 'Transfer-Encoding: chunked with a trailing blank',
    does: [`POST /a HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked \r\n\r\n0\r\n\r\n`],
    client: {
      responses: [local(400, 'ambiguous-framing', 'the length of the request body is ambiguous')],
      connection: 'closed',
    },
    endpoint: [],
    outcomes: [],
    records: [refused(400, 'ambiguous-framing', { method: '', host: '', path: '', cause: 'bad-transfer-encoding' })],
  },
  {
    name: 'a chunk that cannot be read behind one that could',
    does: [
      `POST /a HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n`,
      { endpointHas: 1 },
      'zz\r\n',
    ],
    client: {
      responses: [local(400, 'ambiguous-framing', 'the length of the request body is ambiguous')],
      connection: 'closed',
    },
    endpoint: [{ line: 'POST /a HTTP/1.1', fields: chunked(), whole: false }],
    outcomes: ['abandoned'],
    records: [
      record({
        method: 'POST',
        status: 400,
        reason: 'ambiguous-framing',
        cause: 'bad-chunk',
        upstreamMs: false,
        receivedBytes: `POST /a HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n`.length,
      }),
    ],
  },
  {
    name: 'a body whose announced length is over the limit',
    mostBodyBytes: 4,
    does: [{ method: 'POST', target: '/a', fields: ['Expect: 100-continue'], contentLength: 5 }],
    client: { responses: [local(413, 'body-too-large', 'the request body is too large')], connection: 'closed' },
    endpoint: [],
    outcomes: [],
    records: [
      record({ method: 'POST', status: 413, reason: 'body-too-large', endpoint: undefined, upstreamMs: false }),
    ],
  },
  {
    name: 'Expect: 100-continue that the endpoint grants',
    endpoints: [{ on: 'head', replies: [`HTTP/1.1 100 Continue\r\n\r\n`] }],
    does: [
      `PUT /a HTTP/1.1\r\n${host}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
      { until: '100 Continue\r\n\r\n' },
      { leave: true },
    ],
    client: { responses: [{ status: 100, reason: 'Continue', fields: [] }], connection: 'left' },
    endpoint: [
      {
        line: 'PUT /a HTTP/1.1',
        fields: [host, 'Expect: 100-continue', 'Content-Length: 5', ...added()],
        whole: false,
      },
    ],
    outcomes: ['abandoned'],
    records: [record({ method: 'PUT', status: 499, reason: 'client-gone', upstreamMs: false })],
  },
  {
    ...once,
    name: 'Expect of HTTP/1.0, which knows none',
    does: [`PUT /a HTTP/1.0\r\n${host}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello`],
    client: {
      responses: [{ ...okResponse, fields: [...okResponse.fields, 'Connection: close'] }],
      connection: 'closed',
    },
    endpoint: [
      { line: 'PUT /a HTTP/1.1', fields: [host, 'Content-Length: 5', ...added('shop.example', '1.0')], body: 'hello' },
    ],
    records: [record({ method: 'PUT', protocol: 'HTTP/1.0' })],
  },
  {
    name: 'Expect: 100-continue that the endpoint declines: the final status before the body',
    endpoints: [{ on: 'head', replies: ['HTTP/1.1 403 No\r\nContent-Length: 0\r\nX-A: 1\r\n\r\n'] }],
    does: [{ method: 'PUT', target: '/a', fields: ['Expect: 100-continue'], contentLength: 5 }],
    client: {
      responses: [{ status: 403, reason: 'No', fields: ['Content-Length: 0', 'X-A: 1', 'Connection: close'] }],
      connection: 'closed',
    },
    endpoint: [
      {
        line: 'PUT /a HTTP/1.1',
        fields: [host, 'Expect: 100-continue', 'Content-Length: 5', ...added()],
        whole: false,
      },
    ],
    outcomes: ['responded'],
    records: [record({ method: 'PUT', status: 403 })],
  },
  {
    name: 'a response before the body is complete, and nothing behind it',
    endpoints: [{ on: 'head', replies: [okBytes] }],
    does: [{ method: 'PUT', target: '/a', contentLength: 500, body: 'hello' }],
    client: {
      responses: [{ ...okResponse, fields: [...okResponse.fields, 'Connection: close'] }],
      connection: 'closed',
    },
    endpoint: [{ line: 'PUT /a HTTP/1.1', fields: withLength(500), whole: false }],
    outcomes: ['responded'],
    records: [record({ method: 'PUT' })],
  },
  {
    name: 'a client that leaves before the response',
    endpoints: [{}],
    does: [{ method: 'GET', target: '/a' }, { endpointHas: 1 }, { leave: true }],
    client: { responses: [], connection: 'left' },
    endpoint: [{ line: 'GET /a HTTP/1.1', fields: [host, ...added()] }],
    outcomes: ['abandoned'],
    records: [record({ status: 499, reason: 'client-gone', upstreamMs: false })],
  },
];
