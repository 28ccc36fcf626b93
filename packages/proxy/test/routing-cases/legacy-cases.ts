import { aged, everywhere, legacy, paths, posts, type RoutingCase, shop, site } from './routing-case.ts';

export const legacyCases: readonly RoutingCase[] = [
  legacy(
    'a prefix may end in a word',
    [paths('digital', '/digital')],
    'any.example/digitalproductlifecycle',
    'digital/0',
  ),
  legacy(
    'aclName decides, not the longer path',
    [paths('a-api', '/api'), paths('z-v1', '/api/v1')],
    'any.example/api/v1',
    'a-api/0',
  ),
  legacy(
    'aclName decides, not the host',
    [paths('a-api', '/api'), site('z-shop', ['shop.example'], { servicePath: ['/api'] })],
    'shop.example/api',
    'a-api/0',
  ),
  legacy(
    'aclName is the sort key',
    [
      { ...paths('a', '/api'), aclName: '02' },
      { ...paths('z', '/api/v1'), aclName: '01' },
    ],
    'any.example/api/v1',
    'z/0',
  ),
  legacy('a bare slash comes last', [paths('a-root', '/'), paths('z-api', '/api')], 'any.example/api', 'z-api/0'),
  legacy(
    'a domain alone counts as a bare slash',
    [site('a-shop', ['shop.example']), paths('z-api', '/api')],
    'shop.example/api',
    'z-api/0',
  ),
  legacy(
    'one bare slash makes the whole service last',
    [paths('a-both', '/api', '/'), paths('z-api', '/api/v1')],
    'any.example/api/v1',
    'z-api/0',
  ),
  legacy(
    'well-known services come first',
    [paths('a-root', '/.w'), paths('z-acme', '/.well-known/acme-challenge')],
    'any.example/.well-known/acme-challenge/x',
    'z-acme/0',
  ),
  legacy(
    'within a service, by index',
    [{ service: 'web', destinations: [{ servicePath: ['/a'] }, { servicePath: ['/a/b'] }] }],
    'any.example/a/b',
    'web/0',
  ),
  legacy(
    'of two that claim the same, by aclName',
    [aged('a-young', 2000), aged('z-old', 1000)],
    'shop.example/',
    'a-young/0',
  ),
  legacy(
    'methods do not choose',
    [
      { ...posts, aclName: 'a' },
      { ...everywhere, aclName: 'z' },
    ],
    'any.example/',
    { route: 'posts/0', response: 403 },
  ),
  legacy(
    'redirects come before routing',
    [site('a', ['old.example']), site('new', ['new.example'], { redirectFromDomain: ['old.example'] })],
    'old.example/',
    { redirectTo: 'new.example' },
  ),
  legacy(
    'a default backend takes requests without a match',
    [shop, { ...paths('fallback', '/fb'), isDefaultBackend: true }],
    'other.example/x',
    'fallback/0',
  ),
];
