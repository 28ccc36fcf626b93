import { aged, paths, type RoutingCase, shop, site, strict } from './routing-case.ts';

export const serviceCases: readonly RoutingCase[] = [
  strict(
    'the second destination',
    [{ service: 'web', destinations: [{ servicePath: ['/a'] }, { servicePath: ['/b'] }] }],
    'any.example/b',
    'web/1',
  ),
  strict(
    'ACME challenges by path come before any host',
    [shop, paths('z-acme', '/.well-known/acme-challenge')],
    'shop.example/.well-known/acme-challenge/t0ken',
    'z-acme/0',
  ),
  strict(
    'other well-known paths do not',
    [shop, paths('z-wk', '/.well-known')],
    'shop.example/.well-known/x',
    'shop/0',
  ),
  strict(
    'a default backend takes requests without a match',
    [shop, { ...site('fallback', ['fb.example']), isDefaultBackend: true }],
    'other.example/x',
    'fallback/0',
  ),
  strict(
    'a default backend only that',
    [shop, { ...site('fallback', ['fb.example']), isDefaultBackend: true }],
    'shop.example/x',
    'shop/0',
  ),
  strict(
    'redirectFromDomain comes before routing',
    [site('old', ['old.example']), site('new', ['new.example'], { redirectFromDomain: ['old.example'] })],
    'old.example/a?b',
    { redirectTo: 'new.example' },
  ),
  strict(
    'redirectFromDomain from every host takes no other service’s requests',
    [site('old', ['old.example']), site('new', ['new.example'], { redirectFromDomain: ['*', 'former.example'] })],
    'old.example/',
    'old/0',
  ),
  strict(
    'redirectFromDomain beside every host goes on for those that are named',
    [site('old', ['old.example']), site('new', ['new.example'], { redirectFromDomain: ['*', 'former.example'] })],
    'former.example/',
    { redirectTo: 'new.example' },
  ),
  strict(
    'redirectFromDomain never leads to itself',
    [site('new', ['www.example'], { redirectFromDomain: ['*.example', '*example', 'www.example'] })],
    'www.example/',
    'new/0',
  ),
  strict(
    'redirectFromDomain leaves its own domain alone',
    [site('new', ['new.example'], { redirectFromDomain: ['old.example'] })],
    'new.example/',
    'new/0',
  ),
  strict(
    'of two that claim the same, the older',
    [aged('a-young', 2000), aged('z-old', 1000)],
    'shop.example/',
    'z-old/0',
  ),
  strict('of two equally old, by name', [aged('b', 1000), aged('a', 1000)], 'shop.example/', 'a/0'),
  strict(
    'of two Swarms’ services, by owner',
    [
      { ...aged('web', 1000), owner: 'north' },
      { ...aged('web', 1000), owner: 'east' },
    ],
    'shop.example/',
    'east:web/0',
  ),
  strict(
    'a person’s definition replaces the Swarm’s',
    [paths('web', '/swarm'), { ...paths('web', '/manual'), owner: 'manual' }],
    'any.example/swarm',
    'no-route',
  ),
  strict(
    'and serves',
    [paths('web', '/swarm'), { ...paths('web', '/manual'), owner: 'manual' }],
    'any.example/manual',
    'manual:web/0',
  ),
  strict(
    'tcp is not for requests',
    [{ service: 'db', destinations: [{ reqMode: 'tcp', srcPort: 80, servicePath: ['/'] }] }],
    'any.example/',
    'no-route',
  ),
];
