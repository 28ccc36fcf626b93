import { added, local, okResponse, record, refused, type ViewCase } from './view-case.ts';

const once = { outcomes: ['responded'], client: { responses: [okResponse], connection: 'open' } } as const;
const closing = { ...okResponse, fields: [...okResponse.fields, 'Connection: close'] };
const never = { endpoint: [], outcomes: [] } as const;

/** Targets, methods, hosts and fields. */
export const requestCases: readonly ViewCase[] = [
  {
    ...once,
    name: 'a plain GET',
    does: [{ method: 'GET', target: '/a?token=secret', fields: ['X-B: 1', 'x-a:  two '] }],
    endpoint: [
      {
        line: 'GET /a?token=secret HTTP/1.1',
        fields: ['Host: shop.example', 'X-B: 1', 'x-a: two', ...added()],
      },
    ],
    records: [record({ query: '?token=secret' })],
  },
  {
    ...once,
    name: 'a session of the console among other cookies',
    does: [
      {
        method: 'GET',
        target: '/a',
        fields: ['Cookie: a=1; swarmgate_session=x.y.z;  b=2; __Host-swarmgate_session=x', 'X-B: 1'],
      },
    ],
    endpoint: [{ line: 'GET /a HTTP/1.1', fields: ['Host: shop.example', 'Cookie: a=1;  b=2', 'X-B: 1', ...added()] }],
    records: [record()],
  },
  {
    ...once,
    name: 'a session of the console alone',
    does: [{ method: 'GET', target: '/a', fields: ['cookie: swarmgate_session=x.y.z', 'X-B: 1'] }],
    endpoint: [{ line: 'GET /a HTTP/1.1', fields: ['Host: shop.example', 'X-B: 1', ...added()] }],
    records: [record()],
  },
  {
    ...once,
    name: 'cookies whose names only resemble the session of the console',
    does: [
      {
        method: 'GET',
        target: '/a',
        fields: ['Cookie: my_swarmgate_session=1; swarmgate_sessions=2; a=swarmgate_session'],
      },
    ],
    endpoint: [
      {
        line: 'GET /a HTTP/1.1',
        fields: [
          'Host: shop.example',
          'Cookie: my_swarmgate_session=1; swarmgate_sessions=2; a=swarmgate_session',
          ...added(),
        ],
      },
    ],
    records: [record()],
  },
  {
    ...once,
    name: 'a host in capitals with a port',
    does: [{ method: 'GET', target: '/a', host: 'Shop.Example:8080' }],
    endpoint: [{ line: 'GET /a HTTP/1.1', fields: ['Host: Shop.Example:8080', ...added('Shop.Example:8080')] }],
    records: [record()],
  },
  {
    ...once,
    name: 'a path that has to be normalised',
    does: [{ method: 'GET', target: '/x/../a?b=/../c' }],
    endpoint: [{ line: 'GET /a?b=/../c HTTP/1.1', fields: ['Host: shop.example', ...added()] }],
    records: [record({ query: '?b=/../c', sentPath: '/x/../a' })],
  },
  {
    ...once,
    name: 'a target in absolute form, whose authority wins over Host',
    does: ['GET http://other.example/a?b HTTP/1.1\r\nHost: shop.example\r\nX-A: 1\r\n\r\n'],
    endpoint: [{ line: 'GET /a?b HTTP/1.1', fields: ['Host: other.example', 'X-A: 1', ...added('other.example')] }],
    records: [record({ host: 'other.example', query: '?b', sentPath: 'http://other.example/a' })],
  },
  {
    ...once,
    name: 'OPTIONS *',
    does: ['OPTIONS * HTTP/1.1\r\nHost: shop.example\r\n\r\n'],
    endpoint: [{ line: 'OPTIONS * HTTP/1.1', fields: ['Host: shop.example', ...added()] }],
    records: [record({ method: 'OPTIONS', path: '/', sentPath: '*' })],
  },
  {
    ...once,
    name: 'HTTP/1.0 without Host',
    does: ['GET /a HTTP/1.0\r\nX-A: 1\r\n\r\n'],
    client: { responses: [closing], connection: 'closed' },
    endpoint: [{ line: 'GET /a HTTP/1.1', fields: ['X-A: 1', ...added('', '1.0'), 'Host:'] }],
    records: [record({ protocol: 'HTTP/1.0', host: '' })],
  },
  {
    ...once,
    name: 'HTTP/1.0 with Host and keep-alive',
    does: ['GET /a HTTP/1.0\r\nHost: shop.example\r\nConnection: keep-alive\r\n\r\n'],
    client: {
      responses: [{ ...okResponse, fields: [...okResponse.fields, 'Connection: keep-alive'] }],
      connection: 'open',
    },
    endpoint: [{ line: 'GET /a HTTP/1.1', fields: ['Host: shop.example', ...added('shop.example', '1.0')] }],
    records: [record({ protocol: 'HTTP/1.0' })],
  },
  {
    ...once,
    name: 'the method FOO',
    does: [{ method: 'FOO', target: '/a' }],
    endpoint: [{ line: 'FOO /a HTTP/1.1', fields: ['Host: shop.example', ...added()] }],
    records: [record({ method: 'FOO' })],
  },
  {
    ...once,
    name: 'Connection: close',
    does: ['GET /a HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n'],
    client: { responses: [closing], connection: 'closed' },
    endpoint: [{ line: 'GET /a HTTP/1.1', fields: ['Host: shop.example', ...added()] }],
    records: [record()],
  },
  {
    ...once,
    name: 'fields of the client’s hop, and those that Connection names',
    does: [
      'GET /a HTTP/1.1\r\nHost: shop.example\r\nConnection: X-Hop, Via, Host, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\n' +
        'Proxy-Authorization: Basic x\r\nProxy-Connection: keep-alive\r\nVia: 1.1 other\r\nX-Kept: 2\r\n\r\n',
    ],
    endpoint: [
      {
        line: 'GET /a HTTP/1.1',
        fields: ['Host: shop.example', 'X-Kept: 2', ...added().slice(0, -1), 'Via: 1.1 other, 1.1 swarmgate-test'],
      },
    ],
    records: [record()],
  },
  {
    ...once,
    name: 'underscore spellings of fields that the proxy speaks for',
    does: [{ method: 'GET', target: '/a', fields: ['X_Forwarded_For: 9.9.9.9', 'X_Real_IP: 9.9.9.9', 'my_own: 1'] }],
    endpoint: [{ line: 'GET /a HTTP/1.1', fields: ['Host: shop.example', 'my_own: 1', ...added()] }],
    records: [record()],
  },
  {
    ...once,
    name: 'what an untrusted client says of others',
    does: [
      {
        method: 'GET',
        target: '/a',
        fields: [
          'X-Forwarded-For: 203.0.113.9',
          'X-Forwarded-Proto: https',
          'X-Forwarded-Host: evil.example',
          'X-Request-Id: not theirs',
          'Forwarded: for=203.0.113.9',
        ],
      },
    ],
    endpoint: [
      {
        line: 'GET /a HTTP/1.1',
        fields: ['Host: shop.example', 'X-Forwarded-For: 203.0.113.9, 127.0.0.1', ...added().slice(1)],
      },
    ],
    records: [record()],
  },
  {
    ...once,
    name: 'what a trusted hop says of its client',
    trustedHop: true,
    does: [
      {
        method: 'GET',
        target: '/a',
        fields: [
          'X-Forwarded-For: 10.9.9.9, 203.0.113.9',
          'X-Forwarded-Proto: https',
          'X-Forwarded-Proto: http',
          'X-Forwarded-Host: public.example',
          'X-Forwarded-Port: 443',
          'X-Request-Id: theirs',
          'Forwarded: for=203.0.113.9',
        ],
      },
    ],
    endpoint: [
      {
        line: 'GET /a HTTP/1.1',
        fields: [
          'Host: shop.example',
          'Forwarded: for=203.0.113.9',
          'X-Forwarded-For: 10.9.9.9, 203.0.113.9, 127.0.0.1',
          'X-Forwarded-Proto: https',
          'X-Forwarded-Host: public.example',
          'X-Forwarded-Port: 443',
          'X-Request-Id: theirs',
          'Swarmgate-Hops: 1',
          'Via: 1.1 swarmgate-test',
        ],
      },
    ],
    records: [record({ clientAddress: '203.0.113.9' })],
  },
  {
    ...never,
    name: 'a path that is refused, behind a trusted hop: its client, no query, the host in normal form',
    trustedHop: true,
    does: [
      {
        method: 'GET',
        target: '/a%00b?token=secret',
        host: 'Shop.Example:80',
        fields: ['X-Forwarded-For: 203.0.113.9'],
      },
    ],
    client: { responses: [local(400, 'path-nul', 'the request path is not valid')], connection: 'closed' },
    records: [refused(400, 'path-nul', { path: '/a%00b', query: '?token=secret', clientAddress: '203.0.113.9' })],
  },
  {
    ...never,
    name: 'a request without a route',
    routed: false,
    does: [{ method: 'GET', target: '/a?token=secret' }],
    client: { responses: [local(503, 'no-route', 'no route matches this request', false)], connection: 'open' },
    records: [refused(503, 'no-route', { query: '?token=secret' })],
  },
  {
    ...never,
    name: 'HEAD without a route',
    routed: false,
    does: [{ method: 'HEAD', target: '/a' }],
    client: {
      responses: [{ ...local(503, 'no-route', 'no route matches this request', false), body: '' }],
      connection: 'open',
    },
    records: [refused(503, 'no-route', { method: 'HEAD' })],
  },
  {
    ...never,
    name: 'a request that has passed 16 proxies of this kind',
    does: [{ method: 'GET', target: '/a', fields: ['Swarmgate-Hops: 16'] }],
    client: {
      responses: [local(508, 'loop', 'the request has passed too many proxies of this kind', false)],
      connection: 'open',
    },
    records: [refused(508, 'loop')],
  },
  {
    ...never,
    name: 'CONNECT',
    does: ['CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example\r\n\r\n'],
    client: {
      responses: [local(501, 'method-not-forwarded', 'this method is not forwarded')],
      connection: 'closed',
    },
    records: [refused(501, 'method-not-forwarded', { method: 'CONNECT', path: 'shop.example:443' })],
  },
  {
    ...never,
    name: 'CONNECT with what its client takes for the tunnel behind it',
    does: [
      'CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example\r\n\r\nPOST /admin HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\n\r\n',
    ],
    client: {
      responses: [local(501, 'method-not-forwarded', 'this method is not forwarded')],
      connection: 'closed',
    },
    records: [
      refused(501, 'method-not-forwarded', {
        method: 'CONNECT',
        path: 'shop.example:443',
        receivedBytes: 'CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example\r\n\r\n'.length,
      }),
    ],
  },
  {
    ...never,
    name: 'a Host that is none',
    does: ['GET /a HTTP/1.1\r\nHost: a b\r\n\r\n'],
    client: {
      responses: [local(400, 'bad-host', 'the Host header is missing, repeated or invalid')],
      connection: 'closed',
    },
    records: [refused(400, 'bad-host', { host: '' })],
  },
  {
    ...never,
    name: 'no Host',
    does: ['GET /a?token=secret HTTP/1.1\r\nX-A: 1\r\n\r\n'],
    client: {
      responses: [local(400, 'bad-host', 'the Host header is missing, repeated or invalid')],
      connection: 'closed',
    },
    records: [refused(400, 'bad-host', { method: '', host: '', path: '', cause: 'host-missing' })],
  },
  {
    ...never,
    name: 'a head that cannot be read',
    does: ['GET /a?token=secret HTTP/1.1\r\nHost: shop.example\r\nX A: 1\r\n\r\n'],
    client: { responses: [local(400, 'bad-request', 'the request is not valid HTTP')], connection: 'closed' },
    records: [refused(400, 'bad-request', { method: '', host: '', path: '', cause: 'bad-field-name' })],
  },
  {
    ...never,
    name: 'a head that is too large',
    does: [`GET /a HTTP/1.1\r\nHost: shop.example\r\nX-A: ${'x'.repeat(32_768)}\r\n\r\n`],
    client: { responses: [local(431, 'head-too-large', 'the request head is too large')], connection: 'closed' },
    records: [refused(431, 'head-too-large', { method: '', host: '', path: '', cause: 'head-too-large' })],
  },
  {
    ...never,
    name: 'half a head, and then nothing',
    headMs: 100,
    does: ['GET /a HTTP/1.1\r\nHost: shop.ex'],
    client: { responses: [local(408, 'request-timeout', 'the request did not arrive in time')], connection: 'closed' },
    records: [refused(408, 'request-timeout', { method: '', host: '', path: '', cause: 'head-late' })],
  },
  {
    ...never,
    name: 'an expectation other than 100-continue',
    does: ['PUT /a HTTP/1.1\r\nHost: shop.example\r\nExpect: 200-ok\r\nContent-Length: 2\r\n\r\n'],
    client: {
      responses: [local(417, 'expectation-failed', 'only 100-continue can be expected')],
      connection: 'closed',
    },
    records: [refused(417, 'expectation-failed', { method: '', host: '', path: '', cause: 'expectation-failed' })],
  },
];
