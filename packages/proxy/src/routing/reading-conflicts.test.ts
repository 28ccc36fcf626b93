import { serviceKey } from '@swarmgate/registry';
import { expect } from 'chai';
import { definitionOf, everywhere, type GivenService, paths } from '../../test/routing-cases/routing-case.ts';
import { createRouteTable } from './create-route-table.ts';
import { readPath } from './path-readings.ts';

describe('what a reading of the path decides', () => {
  it('is shown for each, with the one that refuses the request', () => {
    const given = [everywhere, paths('admin', '/admin')];
    expect(conflictsOfReadings(given, '/a')).to.deep.equal([]);
    expect(conflictsOfReadings(given, '/b%2Fc')).to.deep.equal([['/b/c', ['swarm/everywhere/0'], 'allowed']]);
    expect(conflictsOfReadings(given, '/x%2F..%2Fadmin')).to.deep.equal([
      ['/admin', ['swarm/admin/0'], 'destination'],
      ['/x/../admin', ['swarm/everywhere/0'], 'allowed'],
    ]);
  });

  it('refuses where an exclusion matches with // or ;x kept', () => {
    const pathType = { matcher: 'path_reg', ignoreCase: false } as const;
    const given = [
      { service: 'site', destinations: [{ servicePath: ['^/'], servicePathExclude: ['v=2', '^/[^a]/'], pathType }] },
    ];
    expect(conflictsOfReadings(given, '/a;v=2')).to.deep.equal([['/a;v=2', [], 'exclusion']]);
    expect(conflictsOfReadings(given, '/a;v=1')).to.deep.equal([['/a;v=1', ['swarm/site/0'], 'allowed']]);
    expect(conflictsOfReadings(given, '/a//b')).to.deep.equal([['/a//b', ['swarm/site/0'], 'allowed']]);
    expect(conflictsOfReadings(given, '///b')).to.deep.equal([['///b', [], 'exclusion']]);
  });

  it('does not depend on how services of one match share requests', () => {
    const given = [
      { ...paths('one', '/'), weight: 1 },
      { ...paths('two', '/'), weight: 1 },
    ];
    for (const random of [0, 0.9])
      expect(conflictsOfReadings(given, '/a%2Fb', random)).to.deep.equal([
        ['/a/b', ['swarm/one/0', 'swarm/two/0'], 'allowed'],
      ]);
  });

  it('refuses nothing where the path itself reaches no route, unless a separator leads to one', () => {
    expect(conflictsOfReadings([paths('a', '/a')], '/b;x')).to.deep.equal([['/b;x', [], 'allowed']]);
    expect(conflictsOfReadings([paths('a', '/a')], '/a%2Fb')).to.deep.equal([['/a/b', ['swarm/a/0'], 'destination']]);
  });

  // Without its parameter the path reaches `everywhere`; with it, the service of the host.
  const stricter: readonly (readonly [string, object, object, string])[] = [
    ['users', { users: [{ username: 'u' }] }, {}, 'access'],
    ['allowedAddresses', { allowedAddresses: ['10.0.0.0/8'] }, {}, 'access'],
    ['rateLimit', { rateLimit: { requests: 1, windowMs: 1000 } }, {}, 'access'],
    ['denyHttp', {}, { denyHttp: true }, 'access'],
    ['verifyClientSsl', {}, { verifyClientSsl: true }, 'access'],
    ['a method', {}, { allowedMethods: ['PUT'] }, 'method'],
    ['a denied method', {}, { deniedMethods: ['GET'] }, 'method'],
    ['the same method', {}, { allowedMethods: ['GET'] }, 'allowed'],
    ['denyHttp=false', {}, { denyHttp: false }, 'allowed'],
    ['nothing', {}, {}, 'allowed'],
  ];
  for (const [name, labels, destination, conflict] of stricter)
    it(`is ${conflict} where a parameter reaches a destination with more restrictions: ${name}`, () => {
      const pathType = { matcher: 'path_reg', ignoreCase: false } as const;
      const match = { serviceDomain: ['any.example'], servicePath: ['v=2$'], pathType };
      const restricted = { ...labels, service: 'restricted', destinations: [{ ...match, ...destination }] };
      const outcomes = conflictsOfReadings([everywhere, restricted], '/x;v=2');
      expect(outcomes).to.deep.equal([['/x;v=2', ['swarm/restricted/0'], conflict]]);
    });

  it('is allowed where both have the same restriction', () => {
    const users = [{ username: 'u' }];
    const match = {
      serviceDomain: ['any.example'],
      servicePath: ['v=2$'],
      pathType: { matcher: 'path_reg', ignoreCase: false },
    } as const;
    const same: GivenService = { service: 'same', users, destinations: [match] };
    expect(
      conflictsOfReadings([{ ...everywhere, users }, same], '/x;v=2').map(([, , conflict]) => conflict),
    ).to.deep.equal(['allowed']);
  });

  it('refuses where only the path itself reaches a destination that ignores authorization', () => {
    const match = {
      serviceDomain: ['any.example'],
      servicePath: ['v=2$'],
      pathType: { matcher: 'path_reg', ignoreCase: false },
    } as const;
    const ignoring = { service: 'open', destinations: [{ servicePath: ['/'], ignoreAuthorization: true }] };
    const other: GivenService = { service: 'other', destinations: [match] };
    expect(conflictsOfReadings([ignoring, other], '/x;v=2').map(([, , conflict]) => conflict)).to.deep.equal([
      'access',
    ]);
  });
});

function conflictsOfReadings(given: readonly GivenService[], raw: string, random = 0.5) {
  const definitions = given.map(definitionOf);
  const options = { order: 'strict', instanceName: 'swarmgate', filterInstanceName: false } as const;
  const table = createRouteTable({ ...options, random: () => random }).with(
    new Map(definitions.map((definition) => [serviceKey(definition), definition])),
  );
  const read = readPath(raw, 'keep');
  if (!read.ok) throw new Error(read.reason);
  const target = { method: 'GET', host: 'any.example', path: read.path, port: 80, header: () => undefined };
  const explained = table.explainReadings(target, read.readings);
  const isRefused = explained.some(({ conflict }) => conflict !== undefined);
  expect(table.lookupUnambiguous(target, read.readings) === 'path-ambiguous', raw).to.equal(isRefused);
  return explained.map(
    ({ reading, routes, conflict }) => [reading.path, routes.map(({ id }) => id), conflict ?? 'allowed'] as const,
  );
}
