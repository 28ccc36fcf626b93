import { added, local, okBytes, okResponse, record, type SeenResponse, type ViewCase } from './view-case.ts';

const host = 'Host: shop.example';
const get = { method: 'GET', target: '/a' } as const;
const requested = [{ line: 'GET /a HTTP/1.1', fields: [host, ...added()] }];

/** A GET that is served with these bytes. */
function responded(name: string, reply: string, response: SeenResponse, more: Partial<ViewCase> = {}): ViewCase {
  return {
    name,
    does: [get],
    endpoints: [{ replies: [reply] }],
    client: { responses: [response], connection: 'open' },
    endpoint: requested,
    outcomes: ['responded'],
    records: [record({ status: response.status })],
    ...more,
  };
}

const invalid = local(502, 'endpoint-answer-invalid', 'the service sent a response that is not HTTP', false);

function notHttp(name: string, reply: string): ViewCase {
  return responded(name, reply, invalid, {
    outcomes: ['broken'],
    records: [record({ status: 502, reason: 'endpoint-answer-invalid', upstreamMs: false })],
  });
}

const chunkedHead = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

/** Responses of endpoints, as they are and broken. */
export const responseCases: readonly ViewCase[] = [
  responded(
    'fields of the endpoint’s hop, and those that Connection names',
    'HTTP/1.1 203 Fine\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nVia: 1.1 other\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 2\r\n\r\nok',
    {
      status: 203,
      reason: 'Fine',
      fields: ['Via: 1.1 other', 'Set-Cookie: a', 'set-cookie: b', 'Content-Length: 2'],
      body: 'ok',
    },
  ),
  responded(
    'cookies in the place of a session of the console',
    'HTTP/1.1 200 OK\r\nSet-Cookie: swarmgate_session=x; Path=/\r\nset-cookie: a=swarmgate_session\r\nSet-Cookie: __Host-swarmgate_session=; Max-Age=0\r\nContent-Length: 2\r\n\r\nok',
    { status: 200, reason: 'OK', fields: ['set-cookie: a=swarmgate_session', 'Content-Length: 2'], body: 'ok' },
  ),
  responded(
    'a chunked response with a Trailer field and trailers',
    'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\n',
    {
      status: 200,
      reason: 'OK',
      fields: ['Trailer: X-Sum', 'Transfer-Encoding: chunked'],
      body: 'hello',
      trailers: ['X-Sum: 1'],
    },
  ),
  responded(
    'a response that ends with its connection',
    'HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\nhello',
    {
      status: 200,
      reason: 'OK',
      fields: ['X-A: 1', 'Transfer-Encoding: chunked'],
      body: 'hello',
    },
    { endpoints: [{ replies: ['HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\nhello'], afterwards: 'end' }] },
  ),
  {
    ...responded('HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n', {
      status: 200,
      reason: 'OK',
      fields: ['Content-Length: 2'],
    }),
    does: [{ method: 'HEAD', target: '/a' }],
    endpoint: [{ line: 'HEAD /a HTTP/1.1', fields: [host, ...added()] }],
    records: [record({ method: 'HEAD' })],
  },
  responded('204 with a length, where none may be', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nX-A: 1\r\n\r\n', {
    status: 204,
    reason: 'No Content',
    fields: ['X-A: 1'],
  }),
  responded(
    '304 with the length of what it stands for',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: "a"\r\n\r\n',
    {
      status: 304,
      reason: 'Not Modified',
      fields: ['Content-Length: 5', 'ETag: "a"'],
    },
  ),
  responded('a status that is not registered, without a reason', 'HTTP/1.1 599 \r\nContent-Length: 0\r\n\r\n', {
    status: 599,
    reason: '',
    fields: ['Content-Length: 0'],
  }),
  {
    ...responded('103 before the response', okBytes, okResponse),
    endpoints: [{ replies: [`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: X\r\n\r\n${okBytes}`] }],
    client: {
      responses: [{ status: 103, reason: 'Early Hints', fields: ['Link: </a>'] }, okResponse],
      connection: 'open',
    },
  },
  {
    ...responded('103 and chunks for HTTP/1.0, which knows neither', '', okResponse),
    does: ['GET /a HTTP/1.0\r\nHost: shop.example\r\nConnection: keep-alive\r\n\r\n'],
    endpoints: [
      {
        replies: [
          'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n',
        ],
      },
    ],
    client: {
      responses: [{ status: 200, reason: 'OK', fields: ['Connection: close'], body: 'hello' }],
      connection: 'closed',
    },
    endpoint: [{ line: 'GET /a HTTP/1.1', fields: [host, ...added('shop.example', '1.0')] }],
    records: [record({ protocol: 'HTTP/1.0' })],
  },
  responded(
    'HTTP/1.2, which is HTTP/1.1 to this proxy',
    'HTTP/1.2 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok',
    okResponse,
  ),
  notHttp('HTTP/2.0 without its framing', 'HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok'),
  notHttp('what is not HTTP', 'garbage\r\n\r\n'),
  notHttp('a 101 that was not requested', 'HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n'),
  notHttp('two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok'),
  notHttp(
    'a length beside chunks',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ),
  // The head came in one piece with the fault: nothing of it has gone to the client yet.
  notHttp('a first chunk whose size is no number', `${chunkedHead}zz\r\nhello\r\n0\r\n\r\n`),
  notHttp('a first chunk that is longer than it says', `${chunkedHead}2\r\nhello\r\n0\r\n\r\n`),
  notHttp('a second chunk whose size is no number', `${chunkedHead}5\r\nhello\r\nzz\r\n`),
  notHttp('trailers that are no fields, behind a whole body', `${chunkedHead}5\r\nhello\r\n0\r\n: x\r\n\r\n`),
  {
    ...notHttp('a first chunk whose size is no number, for HTTP/1.0', ''),
    does: ['GET /a HTTP/1.0\r\nHost: shop.example\r\nConnection: keep-alive\r\n\r\n'],
    endpoints: [{ replies: [`${chunkedHead}zz\r\nhello\r\n0\r\n\r\n`] }],
    client: {
      responses: [{ ...invalid, fields: [...invalid.fields, 'Connection: keep-alive'] }],
      connection: 'open',
    },
    endpoint: [{ line: 'GET /a HTTP/1.1', fields: [host, ...added('shop.example', '1.0')] }],
    records: [record({ protocol: 'HTTP/1.0', status: 502, reason: 'endpoint-answer-invalid', upstreamMs: false })],
  },
  {
    ...responded('a response that breaks off', '', okResponse),
    endpoints: [{ replies: ['HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome'], afterwards: 'end' }],
    client: {
      responses: [],
      behind: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome',
      connection: 'reset',
    },
    outcomes: ['broken'],
    records: [record({ reason: 'answer-truncated' })],
  },
  {
    ...responded('a 101 that does not say what it switches to', '', okResponse),
    does: ['GET /a HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n'],
    endpoints: [{ replies: ['HTTP/1.1 101 S\r\n\r\nEVIL'] }],
    client: { responses: [invalid], connection: 'open' },
    endpoint: [{ line: 'GET /a HTTP/1.1', fields: [host, ...added(), 'Connection: Upgrade', 'Upgrade: foo'] }],
    outcomes: ['abandoned'],
    records: [record({ status: 502, reason: 'endpoint-answer-invalid' })],
  },
  {
    ...responded('a tunnel', '', okResponse),
    does: [
      'POST /a HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\nok',
      { until: 'hello' },
      'more',
      { leave: true },
    ],
    endpoints: [
      {
        replies: [
          'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello',
        ],
      },
    ],
    client: {
      responses: [
        {
          status: 101,
          reason: 'UPGRADED',
          fields: ['Content-Type: application/x', 'Connection: Upgrade', 'Upgrade: tcp'],
        },
      ],
      behind: 'hello',
      connection: 'left',
    },
    endpoint: [
      {
        line: 'POST /a HTTP/1.1',
        fields: [host, 'Content-Length: 2', ...added(), 'Connection: Upgrade', 'Upgrade: tcp'],
        body: 'ok',
      },
    ],
    records: [record({ method: 'POST', status: 101 })],
  },
];
