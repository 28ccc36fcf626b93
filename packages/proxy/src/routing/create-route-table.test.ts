import { serviceKey } from '@swarmgate/registry';
import { expect } from 'chai';
import { definitionOf, type GivenService, type RoutingCase, routingCases } from '../../test/routing-cases.ts';
import type { RequestTarget } from '../model/request-target.ts';
import type { Route } from '../model/route.ts';
import { createRouteTable } from './create-route-table.ts';
import { normalizeHost } from './normal-host.ts';
import { readRequestTarget } from './path-readings.ts';
import type { RouteTable } from './route-table.ts';

describe('route table', () => {
  describe('routing cases', () => {
    for (const routingCase of routingCases) {
      it(`${routingCase.order}: ${routingCase.name}`, () => {
        expect(outcomeOf(routingCase)).to.deep.equal(withoutResponse(routingCase.outcome));
      });
    }

    it('are at least sixty', () => expect(routingCases.length).to.be.at.least(60));
  });

  describe('a conflict', () => {
    const older = service('z-old', { since: 1000 });
    const younger = service('a-young', { since: 2000 });

    it('is reported for both, by name', () => {
      const problems = tableOf([older, younger]).problems();
      expect(problems.get('swarm/a-young')).to.have.length(1);
      expect(problems.get('swarm/a-young')?.[0]).to.include({ reason: 'route-conflict', otherService: 'swarm/z-old' });
      expect(problems.get('swarm/z-old')?.[0]).to.include({ reason: 'route-conflict', otherService: 'swarm/a-young' });
    });

    it('is lost by the younger one only', () => {
      const table = tableOf([younger, older]);
      expect(table.lostConflicts('swarm/a-young')).to.have.length(1);
      expect(table.lostConflicts('swarm/z-old')).to.have.length(0);
      expect(table.routesOf('swarm/a-young').map((route) => table.statusOf(route))).to.deep.equal(['conflict']);
    });

    it('ends without a gap when the winner goes', () => {
      const before = tableOf([older, younger]);
      const after = before.with(new Map([['swarm/z-old', undefined]]));
      expect(winner(before, 'shop.example/')).to.equal('swarm/z-old/0');
      expect(winner(after, 'shop.example/')).to.equal('swarm/a-young/0');
      expect(after.problems().size).to.equal(0);
    });

    it('costs the loser that match only', () => {
      const both: GivenService = {
        service: 'b-both',
        destinations: [{ serviceDomain: ['shop.example', 'blog.example'], since: 3000 }, { servicePath: ['/x'] }],
      };
      const table = tableOf([older, both]);
      expect(winner(table, 'shop.example/')).to.equal('swarm/z-old/0');
      expect(winner(table, 'blog.example/')).to.equal('swarm/b-both/0');
      expect(winner(table, 'any.example/x')).to.equal('swarm/b-both/1');
    });

    it('is none when the conditions differ', () => {
      const beta = service('beta', { serviceHeader: { 'x-beta': '1' } });
      expect(tableOf([older, beta]).problems().size).to.equal(0);
    });

    it('between default backends is reported', () => {
      const fallback = { ...service('fallback', { serviceDomain: ['a.example'] }), isDefaultBackend: true };
      const other = { ...service('other', { serviceDomain: ['b.example'], since: 2000 }), isDefaultBackend: true };
      const table = tableOf([fallback, other]);
      expect(winner(table, 'unknown.example/')).to.equal('swarm/fallback/0');
      expect(table.problems().get('swarm/other')?.[0]).to.include({ label: 'isDefaultBackend' });
    });
  });

  describe('weights', () => {
    const stable = { ...service('stable', {}), weight: 3 };
    const canary = { ...service('canary', { since: 5000 }), weight: 1 };

    it('share requests in their proportion', () => {
      const picked = [0, 0.24, 0.26, 0.99].map((random) => winner(tableOf([stable, canary], random), 'shop.example/'));
      expect(picked).to.deep.equal(['swarm/canary/0', 'swarm/canary/0', 'swarm/stable/0', 'swarm/stable/0']);
    });

    it('are no conflict', () => expect(tableOf([stable, canary]).problems().size).to.equal(0));

    it('take nothing from a service that did not offer to share', () => {
      const table = tableOf([service('stable', {}), canary]);
      expect(winner(table, 'shop.example/')).to.equal('swarm/stable/0');
      expect(table.lostConflicts('swarm/canary')).to.have.length(1);
    });

    it('take nothing from it together either', () => {
      const table = tableOf([service('stable', {}), canary, { ...canary, service: 'other-canary' }]);
      expect(winner(table, 'shop.example/')).to.equal('swarm/stable/0');
    });

    it('of zero get nothing', () => {
      const table = tableOf([{ ...stable, weight: 0 }, canary], 0);
      expect(winner(table, 'shop.example/')).to.equal('swarm/canary/0');
      // The one whose turn comes first, too, at the lowest number that can be drawn.
      const emptied = tableOf([stable, { ...canary, weight: 0 }], 0);
      expect(winner(emptied, 'shop.example/')).to.equal('swarm/stable/0');
    });

    it('of zero for all are no offer: the winner of the conflict has it', () => {
      for (const random of [0, 0.99]) {
        const table = tableOf(
          [
            { ...stable, weight: 0 },
            { ...canary, weight: 0 },
          ],
          random,
        );
        expect(winner(table, 'shop.example/')).to.equal('swarm/stable/0');
      }
    });
  });

  describe('owners', () => {
    const swarms = service('web', { servicePath: ['/swarm'] });
    const manual = { ...service('web', { servicePath: ['/manual'] }), owner: 'manual' };

    it('an overridden service says by what', () => {
      const problems = tableOf([manual, swarms]).problems().get('swarm/web');
      expect(problems?.[0]).to.include({ reason: 'overridden', otherService: 'manual/web' });
    });

    it('an overridden service serves again when the person’s definition goes', () => {
      const table = tableOf([manual, swarms]).with(new Map([['manual/web', undefined]]));
      expect(winner(table, 'shop.example/swarm')).to.equal('swarm/web/0');
      expect([table.size, table.problems().size]).to.deep.equal([1, 0]);
    });
  });

  describe('features that restrict access', () => {
    const blocked = (definition: Parameters<typeof definitionOf>[0], features?: ReadonlySet<string>) => {
      const table = emptyTable(features === undefined ? {} : { features }).with(
        new Map([['swarm/web', definitionOf(definition)]]),
      );
      const problems = table.problems().get('swarm/web') ?? [];
      return { by: table.routesOf('swarm/web').map(({ blockedBy }) => blockedBy), problems };
    };

    it('block every destination of the service that requires one this proxy does not have', () => {
      const { by, problems } = blocked({
        service: 'web',
        requires: ['auth', 'later'],
        destinations: [{ servicePath: ['/'] }, { servicePath: ['/b'], index: 1 }],
      });
      expect(by).to.deep.equal(['later', 'later']);
      expect(problems.map(({ reason }) => reason)).to.deep.equal(['unsupported-feature', 'unsupported-feature']);
    });

    it('block the one destination that requires it, by both its ports', () => {
      const { by, problems } = blocked({
        service: 'web',
        destinations: [{ servicePath: ['/'] }, { servicePath: ['/b'], index: 1, httpsPort: 443, requires: ['later'] }],
      });
      expect(by).to.deep.equal([undefined, 'later', 'later']);
      expect(problems).to.have.lengthOf(1);
    });

    it('block a known one in a proxy without it, and name the field that cannot be read', () => {
      expect(blocked({ service: 'web', requires: ['auth'], destinations: [{}] }, new Set()).by).to.deep.equal(['auth']);
      const { problems } = blocked({ service: 'web', requires: ['field:usres'], destinations: [{}] });
      expect(problems[0]?.suggestion).to.include('field usres');
    });

    it('block requests to a service that takes a PROXY header: only relays send one', () => {
      const destinations = [
        { servicePath: ['/'], sendProxyHeader: 'v2', requires: ['proxy-header'] },
        { reqMode: 'tcp', srcPort: 25, index: 1, sendProxyHeader: 'v2', requires: ['proxy-header'] },
      ] as const;
      const { by, problems } = blocked({ service: 'web', destinations });
      expect(by).to.deep.equal(['sendProxyHeader', undefined]);
      expect(problems.map(({ reason, label }) => [reason, label])).to.deep.equal([
        ['label-not-honoured', 'sendProxyHeader'],
      ]);
    });

    it('block nothing where all are known', () => {
      expect(
        blocked({ service: 'web', requires: ['auth', 'rate-limit'], destinations: [{ requires: ['https'] }] }).by,
      ).to.deep.equal([undefined]);
    });

    it('block it when an exclusion cannot be read', () => {
      const table = tableOf([
        service('web', {
          servicePath: ['/'],
          servicePathExclude: ['(?=x)'],
          pathType: { matcher: 'path_reg', ignoreCase: false },
        }),
      ]);
      expect(table.routesOf('swarm/web')[0]?.blockedBy).to.equal('servicePathExclude');
    });
  });

  it('keeps to aclName in legacy order where one host has many paths', () => {
    const many = Array.from({ length: 20 }, (_, at) => service(`m${at}`, { servicePath: [`/m${at}`] }));
    const whole = service('z-whole', { servicePath: ['/a/b'], pathType: { matcher: 'path', ignoreCase: false } });
    const beginning = service('a-beginning', { servicePath: ['/a'] });
    const table = tableOf([...many, whole, beginning], 0.5, 'legacy');
    expect(winner(table, 'shop.example/a/b')).to.equal('swarm/a-beginning/0');
  });

  it('does not depend on the order in which a label lists its paths', () => {
    const parts = { pathType: { matcher: 'path_dir', ignoreCase: false } } as const;
    const reader = service('z-reader', { ...parts, servicePath: ['a'] });
    const ids = [
      ['a', 'b'],
      ['b', 'a'],
    ].map((servicePath) => {
      const writer = service('writer', { ...parts, servicePath, allowedMethods: ['POST'] });
      return [tableOf([writer, reader]), tableOf([reader, writer])].map((table) => winner(table, 'shop.example/a/b'));
    });
    expect(ids.flat()).to.deep.equal(Array(4).fill('swarm/z-reader/0'));
  });

  it('serves only its own instance when that is filtered', () => {
    const other = { ...service('web', {}), proxyInstanceName: 'other' };
    const key = new Map([['swarm/web', definitionOf(other)] as const]);
    expect(emptyTable({ filterInstanceName: true }).with(key).size).to.equal(0);
    expect(emptyTable({ filterInstanceName: false }).with(key).size).to.equal(1);
  });

  it('lists routes in matching order, tcp last', () => {
    const table = tableOf([
      { service: 'a-db', destinations: [{ reqMode: 'tcp', srcPort: 5432 }] },
      { service: 'b-any', destinations: [{ servicePath: ['/'] }] },
      { service: 'c-wild', destinations: [{ serviceDomain: ['*.example'] }] },
      service('d-host', {}),
    ]);
    expect([...table.routes()].map(({ definition }) => definition.service)).to.deep.equal([
      'd-host',
      'c-wild',
      'b-any',
      'a-db',
    ]);
    expect(table.size).to.equal(4);
  });

  it('is the same table when nothing changes', () => {
    const table = tableOf([service('web', {})]);
    expect(table.with(new Map())).to.equal(table);
  });

  it('leaves a table that a request holds as it was', () => {
    const before = tableOf([service('web', {})]);
    before.with(new Map([['swarm/web', undefined]]));
    expect(winner(before, 'shop.example/')).to.equal('swarm/web/0');
  });
});

function service(name: string, destination: GivenService['destinations'][number]): GivenService {
  const match = destination.servicePath ? {} : { serviceDomain: ['shop.example'] };
  return { service: name, destinations: [{ ...match, ...destination }] };
}

function emptyTable(options: Partial<Parameters<typeof createRouteTable>[0]> = {}): RouteTable {
  return createRouteTable({
    order: 'strict',
    instanceName: 'swarmgate',
    filterInstanceName: false,
    ...options,
  });
}

function tableOf(given: readonly GivenService[], random = 0.5, order: 'strict' | 'legacy' = 'strict'): RouteTable {
  const definitions = given.map(definitionOf);
  return emptyTable({ order, random: () => random }).with(
    new Map(definitions.map((definition) => [serviceKey(definition), definition])),
  );
}

function winner(table: RouteTable, url: string): string | undefined {
  const slash = url.indexOf('/');
  return table.lookup({
    method: 'GET',
    host: url.slice(0, slash),
    path: url.slice(slash),
    port: 80,
    header: () => undefined,
  })?.id;
}

/** What the middleware says is not the table's. */
function withoutResponse(outcome: RoutingCase['outcome']): RoutingCase['outcome'] {
  if (typeof outcome === 'string' || !('response' in outcome)) return outcome;
  const { response: _, ...rest } = outcome;
  return rest;
}

function outcomeOf({ order, given, when }: RoutingCase): RoutingCase['outcome'] {
  const host = normalizeHost(when.host);
  if (!host.ok) return { refused: host.reason };
  const target = readRequestTarget(when.target, 'keep');
  if (!target.ok) return { refused: target.reason };
  const headers = new Map(Object.entries(when.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  const request: RequestTarget = {
    method: when.method ?? 'GET',
    host: host.host,
    path: target.path,
    port: when.port ?? 80,
    header: (name) => headers.get(name),
  };
  const route = tableOf(given, 0.5, order).lookupUnambiguous(request, target.readings);
  if (route === 'path-ambiguous') return { refused: route };
  if (route === undefined) return 'no-route';
  if (route.redirectToHost !== undefined) return { redirectTo: route.redirectToHost };
  const sent = when.target.split('?')[0];
  return sent === target.sent ? { route: shortId(route) } : { route: shortId(route), forwarded: target.sent };
}

/** `<service>/<index>`; other owners than `swarm` are named. */
function shortId({ id }: Route): string {
  return id.startsWith('swarm/') ? id.slice('swarm/'.length) : id.replace('/', ':');
}
