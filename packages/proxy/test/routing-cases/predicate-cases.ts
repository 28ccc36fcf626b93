import { everywhere, type GivenService, paths, posts, type RoutingCase, strict, typed } from './routing-case.ts';

export const predicateCases: readonly RoutingCase[] = [
  strict(
    'a header that is there',
    [everywhere, headed('beta', { 'X-Beta': 'yes' })],
    { url: 'any.example/', headers: { 'x-beta': 'yes' } },
    'beta/0',
  ),
  strict('a header that is not', [everywhere, headed('beta', { 'X-Beta': 'yes' })], 'any.example/', 'everywhere/0'),
  strict(
    'a header with another value',
    [headed('beta', { 'X-Beta': 'yes' })],
    { url: 'any.example/', headers: { 'X-Beta': 'YES' } },
    'no-route',
  ),
  strict(
    'all headers must be there',
    [headed('beta', { a: '1', b: '2' })],
    { url: 'any.example/', headers: { a: '1' } },
    'no-route',
  ),
  strict(
    'more headers come first',
    [headed('a-one', { a: '1' }), headed('z-two', { a: '1', b: '2' })],
    { url: 'any.example/', headers: { a: '1', b: '2' } },
    'z-two/0',
  ),
  strict(
    'a user agent holds a text in any case',
    [everywhere, agents('bots', 'GoogleBot', 'bing')],
    { url: 'any.example/', headers: { 'User-Agent': 'Mozilla googlebot/2.1' } },
    'bots/0',
  ),
  strict(
    'another user agent',
    [everywhere, agents('bots', 'googlebot')],
    { url: 'any.example/', headers: { 'User-Agent': 'curl/8' } },
    'everywhere/0',
  ),
  strict(
    'an entry port',
    [everywhere, { service: 'intern', destinations: [{ servicePath: ['/'], srcPort: 8081 }] }],
    { url: 'any.example/', port: 8081 },
    'intern/0',
  ),
  strict(
    'another entry port',
    [everywhere, { service: 'intern', destinations: [{ servicePath: ['/'], srcPort: 8081 }] }],
    'any.example/',
    'everywhere/0',
  ),
  strict(
    'httpsPort serves port 443',
    [{ service: 'web', destinations: [{ servicePath: ['/'], httpsPort: 8443 }] }],
    { url: 'any.example/', port: 443 },
    'web/0:https',
  ),
  strict(
    'httpsPort leaves port 80 to port',
    [{ service: 'web', destinations: [{ servicePath: ['/'], httpsPort: 8443 }] }],
    'any.example/',
    'web/0',
  ),
  strict(
    'srcHttpsPort',
    [{ service: 'web', destinations: [{ servicePath: ['/'], httpsPort: 8443, srcHttpsPort: 444 }] }],
    { url: 'any.example/', port: 444 },
    'web/0:https',
  ),
  strict(
    'methods choose among services of one path',
    [everywhere, posts],
    { url: 'any.example/', method: 'POST' },
    'posts/0',
  ),
  strict('a method that a rule does not take is the other’s', [everywhere, posts], 'any.example/', 'everywhere/0'),
  strict('a method that no route takes finds its route all the same', [posts], 'any.example/', {
    route: 'posts/0',
    response: 403,
  }),
  strict(
    'a denied method does not fall to a shorter path',
    [everywhere, { service: 'api', destinations: [{ servicePath: ['/api'], deniedMethods: ['DELETE'] }] }],
    { url: 'any.example/api', method: 'DELETE' },
    { route: 'api/0', response: 403 },
  ),
  strict(
    'the longer path comes before more predicates',
    [headed('a-beta', { a: '1' }), paths('z-api', '/api')],
    { url: 'any.example/api', headers: { a: '1' } },
    'z-api/0',
  ),
  strict(
    'aclName decides among equals',
    [
      { ...typed('a', 'path_reg', '^/x'), aclName: '2' },
      { ...typed('b', 'path_reg', '/x'), aclName: '1' },
    ],
    'any.example/x',
    'b/0',
  ),
  strict(
    'the service’s name decides without one',
    [typed('b', 'path_reg', '^/x'), typed('a', 'path_reg', '/x')],
    'any.example/x',
    'a/0',
  ),
];

function headed(service: string, serviceHeader: Readonly<Record<string, string>>): GivenService {
  return { service, destinations: [{ servicePath: ['/'], serviceHeader }] };
}

function agents(service: string, ...userAgent: readonly string[]): GivenService {
  return { service, destinations: [{ servicePath: ['/'], userAgent }] };
}
