import { added, local, okBytes, okResponse, record, type ViewCase } from './view-case.ts';

const host = 'Host: shop.example';
const unreachable = local(502, 'endpoint-unreachable', 'the service refused or reset the connection', false);
const good = { replies: [okBytes] };
const closes = { afterwards: 'end' } as const;
const served = { responses: [okResponse], connection: 'open' } as const;
const failed = { responses: [unreachable], connection: 'open' } as const;
const failure = { status: 502, reason: 'endpoint-unreachable', upstreamMs: false } as const;

const request = (method: string, body?: string) => ({
  line: `${method} /a HTTP/1.1`,
  fields: [host, ...(body === undefined ? [] : [`Content-Length: ${body.length}`]), ...added()],
  ...(body === undefined ? {} : { body }),
});

/** Which requests are sent to another endpoint, and how the record tells it. */
export const retryCases: readonly ViewCase[] = [
  {
    name: 'a POST whose first endpoint refuses: nothing was sent, so another one gets it',
    does: [{ method: 'POST', target: '/a', body: 'hello' }],
    endpoints: ['refuses', good],
    client: served,
    endpoint: [request('POST', 'hello')],
    outcomes: ['refused', 'responded'],
    records: [record({ method: 'POST', endpoint: 1, retries: 1, failed: [[0, 'endpoint-unreachable']] })],
  },
  {
    name: 'a GET whose first endpoint fails late: the upstream time is that of the endpoint that responded',
    does: [{ method: 'GET', target: '/a' }],
    endpoints: [{ ...closes, afterMs: 400 }, good],
    client: served,
    endpoint: [request('GET'), request('GET')],
    outcomes: ['broken', 'responded'],
    records: [record({ endpoint: 1, retries: 1, failed: [[0, 'endpoint-unreachable']], upstreamMs: 200 })],
  },
  {
    name: 'a PUT with a body whose endpoint closes without a response: held whole, so another one gets it',
    does: [{ method: 'PUT', target: '/a', body: 'hello' }],
    endpoints: [closes, good],
    client: served,
    endpoint: [request('PUT', 'hello'), request('PUT', 'hello')],
    outcomes: ['broken', 'responded'],
    records: [record({ method: 'PUT', endpoint: 1, retries: 1, failed: [[0, 'endpoint-unreachable']] })],
  },
  {
    name: 'a PUT with a long body whose endpoint closes without a response: held whole, so another one gets it',
    does: [{ method: 'PUT', target: '/a', body: 'hello '.repeat(5_000) }],
    endpoints: [closes, good],
    client: served,
    endpoint: [request('PUT', 'hello '.repeat(5_000)), request('PUT', 'hello '.repeat(5_000))],
    outcomes: ['broken', 'responded'],
    records: [record({ method: 'PUT', endpoint: 1, retries: 1, failed: [[0, 'endpoint-unreachable']] })],
  },
  {
    name: 'a POST with a long body whose first endpoint refuses: nothing was sent, so another one gets it',
    does: [{ method: 'POST', target: '/a', body: 'hello '.repeat(5_000) }],
    endpoints: ['refuses', good],
    client: served,
    endpoint: [request('POST', 'hello '.repeat(5_000))],
    outcomes: ['refused', 'responded'],
    records: [record({ method: 'POST', endpoint: 1, retries: 1, failed: [[0, 'endpoint-unreachable']] })],
  },
  {
    name: 'a POST with a long body whose endpoint closes without a response: never sent twice',
    does: [{ method: 'POST', target: '/a', body: 'hello '.repeat(5_000) }],
    endpoints: [closes, good],
    client: failed,
    endpoint: [request('POST', 'hello '.repeat(5_000))],
    outcomes: ['broken'],
    records: [record({ method: 'POST', ...failure })],
  },
  {
    name: 'a PUT of unknown length with trailers whose endpoint closes without a response',
    does: [{ method: 'PUT', target: '/a', body: 'hello', unsized: true, trailers: ['X-Sum: 1'] }],
    endpoints: [closes, good],
    client: served,
    endpoint: Array.from({ length: 2 }, () => ({
      line: 'PUT /a HTTP/1.1',
      fields: [host, ...added(), 'Transfer-Encoding: chunked'],
      body: 'hello',
      trailers: ['X-Sum: 1'],
    })),
    outcomes: ['broken', 'responded'],
    records: [record({ method: 'PUT', endpoint: 1, retries: 1, failed: [[0, 'endpoint-unreachable']] })],
  },
  {
    name: 'a PUT whose last chunk and trailers come behind its bytes, and whose endpoint closes without a response',
    does: [
      `PUT /a HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
      { endpointHas: 1 },
      '0\r\nX-Sum: 1\r\n\r\n',
    ],
    endpoints: [closes, good],
    client: served,
    endpoint: Array.from({ length: 2 }, () => ({
      line: 'PUT /a HTTP/1.1',
      fields: [host, ...added(), 'Transfer-Encoding: chunked'],
      body: 'hello',
      trailers: ['X-Sum: 1'],
    })),
    outcomes: ['broken', 'responded'],
    records: [record({ method: 'PUT', endpoint: 1, retries: 1, failed: [[0, 'endpoint-unreachable']] })],
  },
  {
    name: 'a PUT whose body came piece by piece: not held, so not sent again',
    does: [{ method: 'PUT', target: '/a', contentLength: 5, body: 'he' }, { endpointHas: 1 }, { sends: 'llo' }],
    endpoints: [closes, good],
    client: failed,
    endpoint: [request('PUT', 'hello')],
    outcomes: ['broken'],
    records: [record({ method: 'PUT', ...failure })],
  },
  ...(['POST', 'PATCH', 'FOO'] as const).map(
    (method): ViewCase => ({
      name: `a ${method} whose endpoint closes without a response: never sent twice`,
      does: [{ method, target: '/a', body: 'hello' }],
      endpoints: [closes, good],
      client: failed,
      endpoint: [request(method, 'hello')],
      outcomes: ['broken'],
      records: [record({ method, ...failure })],
    }),
  ),
  {
    name: 'a GET of whose response a byte came: never sent twice',
    does: [{ method: 'GET', target: '/a' }],
    endpoints: [{ replies: ['H'], afterwards: 'end' }, good],
    client: failed,
    endpoint: [request('GET')],
    outcomes: ['broken'],
    records: [record(failure)],
  },
  {
    name: 'a GET that three endpoints fail',
    does: [{ method: 'GET', target: '/a' }],
    endpoints: [closes, closes, closes, good],
    client: failed,
    endpoint: [request('GET'), request('GET'), request('GET')],
    outcomes: ['broken', 'broken', 'broken'],
    // The rig takes what is left in turn: the first, the third, the second.
    records: [
      record({
        ...failure,
        endpoint: 1,
        retries: 2,
        failed: [
          [0, 'endpoint-unreachable'],
          [2, 'endpoint-unreachable'],
        ],
      }),
    ],
  },
  {
    name: 'a GET whose only endpoint fails: no other attempt was made, so none is recorded',
    does: [{ method: 'GET', target: '/a' }],
    endpoints: [closes],
    client: failed,
    endpoint: [request('GET')],
    outcomes: ['broken'],
    records: [record(failure)],
  },
  {
    name: 'an endpoint that stays silent',
    serverMs: 100,
    does: [{ method: 'GET', target: '/a' }],
    endpoints: [{}],
    client: {
      responses: [local(504, 'head-timeout', 'the service did not respond in time', false)],
      connection: 'open',
    },
    endpoint: [request('GET')],
    outcomes: ['timed-out'],
    records: [record({ status: 504, reason: 'head-timeout', upstreamMs: false })],
  },
  {
    name: 'no endpoint',
    does: [{ method: 'GET', target: '/a' }],
    endpoints: [],
    client: {
      responses: [
        local(503, 'no-endpoint', 'the service has no endpoint that can take the request', false, ['Retry-After: 1']),
      ],
      connection: 'open',
    },
    endpoint: [],
    outcomes: [],
    records: [record({ endpoint: undefined, status: 503, reason: 'no-endpoint', upstreamMs: false })],
  },
  {
    name: 'pipelined requests: in order, one at a time, each with its own bytes',
    does: [
      `GET /a HTTP/1.1\r\n${host}\r\n\r\nPOST /b HTTP/1.1\r\n${host}\r\nContent-Length: 2\r\n\r\nokGET /c HTTP/1.1\r\n${host}\r\n\r\n`,
    ],
    endpoints: [
      {
        replies: ['1', '22', '333'].map((text) => `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`),
        afterMs: 20,
      },
    ],
    client: {
      responses: ['1', '22', '333'].map((body) => ({
        status: 200,
        reason: 'OK',
        fields: [`Content-Length: ${body.length}`],
        body,
      })),
      connection: 'open',
    },
    endpoint: [
      request('GET'),
      { line: 'POST /b HTTP/1.1', fields: [host, 'Content-Length: 2', ...added()], body: 'ok' },
      { line: 'GET /c HTTP/1.1', fields: [host, ...added()] },
    ],
    outcomes: ['responded', 'responded', 'responded'],
    records: [
      record({ sentBytes: 39, receivedBytes: 39 }),
      record({ method: 'POST', path: '/b', sentBytes: 40, receivedBytes: 61 }),
      record({ path: '/c', sentBytes: 41, receivedBytes: 39 }),
    ],
  },
];
