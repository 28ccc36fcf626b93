import { pathRewrite } from '../../src/middleware/path-rewrite.ts';
import { rewriteResponse } from '../../src/middleware/rewrite-response.ts';
import { added, record, type ViewCase } from './view-case.ts';

const strips = [{ search: '^/api', replace: '' }];

interface RewriteCase {
  readonly name: string;
  readonly method?: string;
  readonly path?: string;
  /** Where the endpoint gets it. Default `/users`. */
  readonly at?: string;
  readonly rewrites?: Parameters<typeof pathRewrite>[0];
  readonly host?: string;
  /** Field lines, as the client sends them and as the endpoint gets them. */
  readonly request?: readonly (readonly [string, string])[];
  /** Field lines, as the endpoint sends them and as the client gets them. */
  readonly response?: readonly (readonly [string, string])[];
}

function caseOf(each: RewriteCase): ViewCase {
  const { name, method = 'GET', path = '/api/users', at = '/users', rewrites = strips, host = 'shop.example' } = each;
  const { request = [], response = [] } = each;
  const sent = response.map(([line]) => `${line}\r\n`).join('');
  return {
    name,
    does: [{ method, target: path, host, fields: request.map(([line]) => line) }],
    steps: [rewriteResponse, pathRewrite(rewrites)],
    endpoints: [{ replies: [`HTTP/1.1 200 OK\r\n${sent}Content-Length: 0\r\n\r\n`] }],
    client: {
      responses: [{ status: 200, reason: 'OK', fields: [...response.map(([, line]) => line), 'Content-Length: 0'] }],
      connection: 'open',
    },
    endpoint: [
      {
        line: `${method} ${at} HTTP/1.1`,
        fields: [`Host: ${host}`, ...request.map(([, line]) => line), ...added(host)],
      },
    ],
    outcomes: ['responded'],
    records: [record({ method, path, host: host.replace(/:\d+$/, '') })],
  };
}

const same = (line: string) => [line, line] as const;
const location = (from: string, to = from) => [`Location: ${from}`, `Location: ${to}`] as const;
const destination = (from: string, to = from) => [`Destination: ${from}`, `Destination: ${to}`] as const;
const cookie = (from: string, to = from) => [`Set-Cookie: ${from}`, `Set-Cookie: ${to}`] as const;

/** What names paths beside the request line: WebDAV's fields follow a rewrite, `Location` and cookies come back from it. */
export const rewriteCases: readonly ViewCase[] = [
  ...(
    [
      ['/login', '/api/login'],
      ['/', '/api/'],
      ['/login?next=/users#top', '/api/login?next=/users#top'],
      ['http://shop.example/login', 'http://shop.example/api/login'],
      ['HTTPS://Shop.Example', 'HTTPS://Shop.Example/api/'],
      ['//shop.example/login', '//shop.example/api/login'],
      // Already the client's, of an endpoint that knows its prefix.
      ['/api/login', '/api/login'],
      ['/api', '/api'],
      ['/apiary', '/api/apiary'],
      // Relative to the request: the client resolves it against its own path.
      ['login', 'login'],
      ['../login', '../login'],
      ['?page=2', '?page=2'],
      // Another place.
      ['http://other.example/login', 'http://other.example/login'],
      ['http://shop.example:8443/login', 'http://shop.example:8443/login'],
      ['mailto:a@shop.example', 'mailto:a@shop.example'],
      ['http:///login', 'http:///login'],
    ] as const
  ).map(([from, to]) =>
    caseOf({ name: `Location: ${from}`, response: [[`Location: ${from}`.trim(), `Location: ${to}`.trim()]] }),
  ),
  caseOf({
    name: 'Location with the port that the client requested',
    host: 'shop.example:8080',
    response: [location('http://shop.example:8080/login', 'http://shop.example:8080/api/login')],
  }),
  caseOf({
    name: 'Content-Location, several fields, and what names no path',
    response: [
      ['Content-Location: /users/1', 'Content-Location: /api/users/1'],
      location('/a', '/api/a'),
      same('X-Path: /users'),
      same('Link: </users>; rel=next'),
    ],
  }),
  caseOf({
    name: 'Location where one prefix becomes another',
    path: '/api/v2/users',
    at: '/v2/users',
    response: [location('/v2/login', '/api/v2/login'), location('/other', '/api/other')],
  }),
  caseOf({
    name: 'Location where a segment in the middle changes',
    path: '/shop/new/cart',
    at: '/shop/old/cart',
    rewrites: [{ search: '/new/', replace: '/old/' }],
    response: [location('/shop/old/pay', '/shop/new/pay'), location('/shop/pay'), location('/shop/older')],
  }),
  caseOf({
    name: 'Location where the endpoint has a prefix that clients do not have',
    path: '/users',
    at: '/app/users',
    rewrites: [{ search: '^/', replace: '/app/' }],
    response: [
      location('/app/login', '/login'),
      location('/app', '/'),
      location('/login'),
      location('/app//evil.example'),
    ],
  }),
  caseOf({
    name: 'Location of the root below a prefix',
    path: '/api',
    at: '/',
    response: [location('/login', '/api/login')],
  }),
  caseOf({
    name: 'Location where no rewrite applied',
    path: '/users',
    at: '/users',
    response: [location('/login'), cookie('a=b; Path=/')],
  }),
  caseOf({
    name: 'Path of cookies',
    response: [
      cookie('a=b; Path=/', 'a=b; Path=/api'),
      cookie('a=b; path = /users ; HttpOnly', 'a=b; path = /api/users ; HttpOnly'),
      cookie('a=b; Path=/api/users; Secure'),
      cookie('a=b; HttpOnly'),
      cookie('a=b; Path=; HttpOnly'),
      cookie('a=Path=/; Domain=shop.example'),
      cookie('__Host-a=b; Path=/; Secure'),
    ],
  }),
  ...(['MOVE', 'COPY'] as const).flatMap((method) =>
    (
      [
        ['http://shop.example/api/new%20name', 'http://shop.example/new%20name'],
        ['https://SHOP.example/api/a?b', 'https://SHOP.example/a?b'],
        ['/api/a', '/a'],
        ['/api', '/'],
        ['http://shop.example/dav/a', 'http://shop.example/dav/a'],
        ['http://shop.example/dav/%7ea', 'http://shop.example/dav/%7ea'],
        ['http://other.example/api/a', 'http://other.example/api/a'],
        ['api/a', 'api/a'],
        ['/api/%', '/api/%'],
      ] as const
    ).map(([from, to]) => caseOf({ name: `${method} to ${from}`, method, request: [destination(from, to)] })),
  ),
  caseOf({ name: 'Destination of a method that has none', method: 'POST', request: [destination('/api/a')] }),
  caseOf({
    name: 'tags of If, and not what stands in its lists',
    method: 'MOVE',
    request: [
      [
        'If: </api/a> (<http://shop.example/api/lock> ["x)y"]) <http://shop.example/api/b> (<urn:uuid:1>)',
        'If: </a> (<http://shop.example/api/lock> ["x)y"]) <http://shop.example/b> (<urn:uuid:1>)',
      ],
      destination('/api/b', '/b'),
    ],
  }),
  caseOf({
    name: 'an If whose list or tag does not end',
    method: 'MOVE',
    request: [['If: </api/a> ("</api/b> </api/c>', 'If: </a> ("</api/b> </api/c>'], destination('/api/b', '/b')],
  }),
  caseOf({ name: 'an If with half a tag', request: [['If: (<urn:uuid:1>) </api/a', 'If: (<urn:uuid:1>) </api/a']] }),
];
