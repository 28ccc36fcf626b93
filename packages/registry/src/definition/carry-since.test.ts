import type { Destination, ServiceDefinition } from '@swarmgate/labels';
import { expect } from 'chai';
import { carrySince } from './carry-since.ts';

function definition(...destinations: readonly Partial<Destination>[]): ServiceDefinition {
  return {
    version: 1,
    service: 'x',
    owner: 'swarm',
    source: { kind: 'rest', by: 'a test' },
    updatedAt: '2026-01-02T03:04:05.000Z',
    destinations: destinations.map((each, at) => ({ index: at, since: 900, port: 80, ...each })),
  };
}
const sinceOf = (next: ServiceDefinition, previous: ServiceDefinition | undefined) =>
  carrySince(next, previous, 1000).destinations.map(({ since }) => since);

describe('carrySince', () => {
  const before = definition({ servicePath: ['/a', '/b'], serviceDomain: ['A.example'], since: 5 });

  // [what it shows, the new destination, its since]
  const cases: readonly [string, Partial<Destination>, number][] = [
    ['the same match', { servicePath: ['/a', '/b'], serviceDomain: ['a.example'] }, 5],
    ['another order of alternatives', { servicePath: ['/b', '/a'], serviceDomain: ['a.example'] }, 5],
    ['another port of the service', { servicePath: ['/a', '/b'], serviceDomain: ['a.example'], port: 81 }, 5],
    ['another index', { index: 7, servicePath: ['/a', '/b'], serviceDomain: ['a.example'] }, 5],
    ['one path more', { servicePath: ['/a', '/b', '/c'], serviceDomain: ['a.example'] }, 1000],
    [
      'an excluded path',
      { servicePath: ['/a', '/b'], serviceDomain: ['a.example'], servicePathExclude: ['/a/x'] },
      1000,
    ],
    ['another host', { servicePath: ['/a', '/b'], serviceDomain: ['b.example'] }, 1000],
    ['a predicate more', { servicePath: ['/a', '/b'], serviceDomain: ['a.example'], userAgent: ['x'] }, 1000],
    [
      'a path type',
      { servicePath: ['/a', '/b'], serviceDomain: ['a.example'], pathType: { matcher: 'path', ignoreCase: false } },
      1000,
    ],
    [
      'a host to redirect from',
      { servicePath: ['/a', '/b'], serviceDomain: ['a.example'], redirectFromDomain: ['c.example'] },
      1000,
    ],
  ];
  for (const [what, next, since] of cases) {
    it(`${what}: ${since === 5 ? 'keeps it' : 'is new'}`, () => {
      expect(sinceOf(definition(next), before)).to.deep.equal([since]);
    });
  }

  it('begins now for a new service', () => {
    expect(sinceOf(before, undefined)).to.deep.equal([1000]);
  });

  it('never takes a date from the future', () => {
    expect(
      sinceOf(before, definition({ servicePath: ['/a', '/b'], serviceDomain: ['a.example'], since: 99_999 })),
    ).to.deep.equal([1000]);
  });

  it('leaves its arguments as they are', () => {
    const next = definition({ servicePath: ['/a', '/b'], serviceDomain: ['a.example'] });
    carrySince(next, before, 1000);
    expect(next.destinations[0]?.since).to.equal(900);
  });

  it('keeps the earlier of the stored date and the date of a refused write', () => {
    const next = definition({ servicePath: ['/a'] }, { servicePath: ['/b'] }, { servicePath: ['/c'] });
    const stood = definition({ servicePath: ['/a'], since: 5 });
    const attempted = definition({ servicePath: ['/a'], since: 7 }, { servicePath: ['/b'], since: 8 });
    const dated = carrySince(next, stood, 1000, attempted);
    expect(dated.destinations.map(({ since }) => since)).to.deep.equal([5, 8, 1000]);
  });
});
