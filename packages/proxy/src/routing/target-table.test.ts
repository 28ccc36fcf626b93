import { serviceKey } from '@swarmgate/registry';
import { expect } from 'chai';
import { definitionOf, everywhere, type GivenService, paths } from '../../test/routing-cases/routing-case.ts';
import { createRouteTable } from './create-route-table.ts';
import { readRequestTarget } from './path-readings.ts';
import type { RouteTable } from './route-table.ts';

/** Kinds of route, in the order of the columns. */
const kinds: Readonly<Record<string, readonly GivenService[]>> = {
  'one service': [everywhere],
  prefix: [everywhere, paths('api', '/api')],
  exclusion: [{ service: 'api', destinations: [{ servicePath: ['/'], servicePathExclude: ['/api/admin'] }] }],
  users: [everywhere, { ...paths('admin', '/api/admin'), users: [{ username: 'u' }] }],
  exact: [
    everywhere,
    { service: 'one', destinations: [{ servicePath: ['/api/x'], pathType: { matcher: 'path', ignoreCase: false } }] },
  ],
  expression: [
    // Prefixes are matched before expressions.
    { service: 'others', isDefaultBackend: true, destinations: [{}] },
    {
      service: 'word',
      destinations: [{ servicePath: ['^/api/[a-z]+$'], pathType: { matcher: 'path_reg', ignoreCase: false } }],
    },
  ],
};

// Target; then for each kind of route 200 (forwarded), 400 (refused) or 503 (excluded: no route); then what is forwarded
// where it is not the target.
const targets: readonly (readonly [string, string, string?])[] = [
  ['/', '200 200 200 200 200 200'],
  ['/api/%00', '400 400 400 400 400 400'],
  ['/api/x', '200 200 200 200 200 200'],
  ['/api/x\t', '400 400 400 400 400 400'],
  ['/api/X?q=%2F//..\\', '200 200 200 200 200 200'],
  ['/api/admin', '200 200 503 200 200 200'],
  ['/api/admin/users', '200 200 503 200 200 200'],
  ['/api/administer', '200 200 200 200 200 200'],
  ['/api/%61dmin', '200 200 503 200 200 200'],
  ['/api/100%', '400 400 400 400 400 400'],
  ['/api/x%20y', '200 200 200 200 200 200'],
  ['/api/caf%c3%a9', '200 200 200 200 200 200'],
  ['/api/caf%C3%A9', '200 200 200 200 200 200'],
  ['/api/x[1]', '200 200 200 200 200 200'],
  ['/api/{x}', '200 200 200 200 200 200'],
  ['/api/a|b', '200 200 200 200 200 200'],
  ['/api/"x"', '200 200 200 200 200 200'],
  ['/api/<x>^`', '200 200 200 200 200 200'],
  ['/api/%7bx%7d', '200 200 200 200 200 200'],
  ['/api/é', '400 400 400 400 400 400'],
  ['/api/a+b,c=d', '200 200 200 200 200 200'],
  ['/api/%252Fadmin', '200 200 200 200 200 200'],
  ['/api/%2e%2e/x', '200 200 200 200 200 200', '/x'],
  ['/api/./x', '200 200 200 200 200 200', '/api/x'],
  ['/api/../api/x', '200 200 200 200 200 200', '/api/x'],
  ['/api/y/../{x}', '200 200 200 200 200 200', '/api/{x}'],
  ['/../../api/x', '200 200 200 200 200 200', '/api/x'],
  ['//', '200 200 200 200 200 200'],
  ['//api/x', '200 200 200 200 200 200'],
  ['/api//x', '200 200 200 200 200 200'],
  ['/api//admin', '200 200 503 200 200 200'],
  ['//api//admin', '200 200 503 200 200 200'],
  ['//evil.example/api', '200 200 200 200 200 200'],
  ['/api/x//', '200 200 200 200 200 200'],
  ['/api/x;v=1', '200 200 200 200 200 200'],
  ['/api;v=1/x', '200 200 200 200 200 200'],
  ['/api/admin;v=1', '200 200 503 200 200 200'],
  ['/;/api/admin', '200 200 503 200 200 200'],
  ['/api/x;/admin', '200 200 200 200 200 200'],
  ['/api/x/;jsessionid=AB12', '200 200 200 200 200 200'],
  ['/api/..;/admin', '400 400 400 400 400 400'],
  ['/api/.;/x', '400 400 400 400 400 400'],
  ['/api/..%3b/admin', '400 400 400 400 400 400'],
  ['/@scope%2Fname', '200 200 200 200 200 200'],
  ['/@scope%2fname', '200 200 200 200 200 200'],
  ['/api/group%2Fproject', '200 200 200 200 200 200'],
  ['/api/projects/group%2Fproject/issues', '200 200 200 200 200 200'],
  ['/api%2Fx', '200 400 200 200 400 400'],
  ['/api%2Fadmin', '200 400 400 400 200 400'],
  ['/api/%2F/x', '200 200 200 200 400 400'],
  ['/x%2F..%2Fapi%2Fadmin', '200 400 400 400 200 400'],
  ['/api/x%2f..%2fadmin', '200 200 400 400 200 400'],
  ['/api/x%2F%2e%2E%2Fadmin', '200 200 400 400 200 400'],
  ['/api/..%2Fadmin', '200 400 200 200 200 200'],
  ['/api/a\\b', '200 200 200 200 200 200'],
  ['/api\\admin', '200 400 400 400 200 400'],
  ['/api%5Cx', '200 400 200 200 400 400'],
  ['/api/x\\..\\admin', '200 200 400 400 200 400'],
  ['/api/%2Fadmin', '200 200 400 400 200 400'],
  ['/api;a=%2F/x', '200 200 200 200 200 200'],
];

describe('request targets', () => {
  const tables = Object.values(kinds).map(tableOf);

  it('are sixty, by six kinds of route', () => {
    expect(targets).to.have.length(60);
    expect(tables).to.have.length(6);
  });

  for (const [target, statuses, forwarded = target] of targets) {
    it(`${target} → ${statuses}`, () => {
      expect(tables.map((table) => statusOf(table, target)).join(' ')).to.equal(statuses);
      const read = readRequestTarget(target, 'keep');
      if (statuses.includes('200')) expect(read.ok && read.sent + read.query).to.equal(forwarded);
    });
  }

  it('with an encoded slash or a backslash are all refused where ENCODED_SLASH=refuse', () => {
    for (const [target] of targets) {
      const read = readRequestTarget(target, 'refuse');
      if (/%2f|%5c|\\/i.test(target.split('?', 1)[0] as string)) expect(read.ok, target).to.equal(false);
      else expect(read, target).to.deep.equal(readRequestTarget(target, 'keep'));
    }
  });
});

function tableOf(given: readonly GivenService[]): RouteTable {
  const definitions = given.map(definitionOf);
  return createRouteTable({ order: 'strict', instanceName: 'swarmgate', filterInstanceName: false }).with(
    new Map(definitions.map((definition) => [serviceKey(definition), definition])),
  );
}

function statusOf(table: RouteTable, target: string): 200 | 400 | 503 {
  const read = readRequestTarget(target, 'keep');
  if (!read.ok) return 400;
  const request = { method: 'GET', host: 'any.example', path: read.path, port: 80, header: () => undefined };
  const route = table.lookupUnambiguous(request, read.readings);
  if (route === 'path-ambiguous') return 400;
  return route === undefined ? 503 : 200;
}
