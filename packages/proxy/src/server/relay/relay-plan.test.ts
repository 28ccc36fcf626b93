import type { Destination, ServiceDefinition } from '@swarmgate/registry';
import { expect } from 'chai';
import type { Route } from '../../model/route.ts';
import { planRelays, type RelayPort } from './relay-plan.ts';

function relayed(
  service: string,
  destination: Partial<Destination>,
  definition: Partial<ServiceDefinition> = {},
): Route {
  const full: Destination = { index: 0, since: 0, reqMode: 'tcp', srcPort: 5000, port: 80, ...destination };
  return {
    id: `swarm/${service}/0`,
    key: `swarm/${service}`,
    definition: {
      version: 1,
      service,
      owner: 'swarm',
      source: { kind: 'rest', by: 'test' },
      updatedAt: '',
      destinations: [full],
      ...definition,
    },
    destination: full,
    upstreamPort: 80,
    upstreamSecure: false,
  };
}

function servicesFor(port: RelayPort | undefined, name: string): string[] | undefined {
  const group = port?.byName.find(({ matches }) => matches(name))?.group ?? port?.rest;
  return group?.routes.map(({ definition }) => definition.service);
}

describe('planning relays', () => {
  it('opens a port for each srcPort of tcp and sni services, and for no other', () => {
    const plan = planRelays([
      relayed('db', {}),
      relayed('mail', { srcPort: 25 }),
      relayed('web', { reqMode: 'http', srcPort: 81 }),
    ]);
    expect([...plan.ports.keys()]).to.have.members([5000, 25]);
  });

  it('makes a group of tcp services on one port', () => {
    const plan = planRelays([relayed('b', {}), relayed('a', {})]);
    expect(servicesFor(plan.ports.get(5000), '')).to.have.members(['a', 'b']);
    expect(plan.problems.size).to.equal(0);
  });

  it('gives the port to the oldest of tcp services with different domains, and tells the others', () => {
    const plan = planRelays([
      relayed('young', { serviceDomain: ['two.example'], since: 2 }),
      relayed('old', { serviceDomain: ['one.example'], since: 1 }),
      relayed('twin', { serviceDomain: ['one.example'], since: 3 }),
      relayed('bare', { since: 4 }),
    ]);
    expect(servicesFor(plan.ports.get(5000), '')).to.deep.equal(['old', 'twin']);
    for (const service of ['young', 'bare'] as const) {
      const [problem] = plan.problems.get(`swarm/${service}`) ?? [];
      expect(problem).to.include({ reason: 'relay-port-taken', otherService: 'swarm/old' });
      expect(problem?.suggestion).to.include('sni').and.include('srcPort').and.include('serviceGroup');
    }
  });

  it('lets one serviceGroup share a port whatever the domains are', () => {
    const plan = planRelays([
      relayed('a', { serviceDomain: ['two.example'], serviceGroup: 'pg' }),
      relayed('b', { serviceDomain: ['one.example'], serviceGroup: 'pg' }),
    ]);
    expect(servicesFor(plan.ports.get(5000), '')).to.have.members(['a', 'b']);
    expect(plan.problems.size).to.equal(0);
  });

  it('gives the port to the oldest of different groups, and tells the others', () => {
    const plan = planRelays([
      relayed('young', { serviceGroup: 'two', since: 2 }),
      relayed('old', { serviceGroup: 'one', since: 1 }),
      relayed('twin', { serviceGroup: 'one', since: 3 }),
    ]);
    expect(servicesFor(plan.ports.get(5000), '')).to.deep.equal(['old', 'twin']);
    expect(plan.problems.get('swarm/young')?.[0]).to.include({ reason: 'relay-port-taken', otherService: 'swarm/old' });
  });

  const sni = { reqMode: 'sni', srcPort: 443 } as const;
  const cases = [
    ['shop.example', 'exact'],
    ['www.shop.example', 'wildcard'],
    ['a.www.shop.example', 'wildcard'],
    ['api-7.example', 'expression'],
    ['admin.other', 'beginning'],
    ['blog.test', 'ending'],
    ['unknown.example', 'rest'],
  ] as const;
  for (const [name, service] of cases)
    it(`sends ${name} to the service with the ${service} pattern`, () => {
      const plan = planRelays([
        relayed('rest', sni),
        relayed('expression', {
          ...sni,
          servicePath: ['^api-[0-9]+\\.example$'],
          pathType: { matcher: 'sni_reg', ignoreCase: true },
        }),
        relayed('ending', { ...sni, servicePath: ['.TEST'], pathType: { matcher: 'sni_end', ignoreCase: false } }),
        relayed('beginning', { ...sni, servicePath: ['admin.'], pathType: { matcher: 'sni_beg', ignoreCase: false } }),
        relayed('wildcard', { ...sni, serviceDomain: ['*.shop.example'] }),
        relayed('exact', { ...sni, serviceDomain: ['Shop.Example'] }),
      ]);
      expect(servicesFor(plan.ports.get(443), name)).to.deep.equal([service]);
    });

  it('sets a service aside whose pattern cannot be understood', () => {
    const bad = { ...sni, servicePath: ['('], pathType: { matcher: 'sni_reg', ignoreCase: false } } as const;
    const plan = planRelays([relayed('bad', bad), relayed('good', { ...sni, serviceDomain: ['good.example'] })]);
    expect(plan.problems.get('swarm/bad')?.[0]?.reason).to.equal('sni-pattern-invalid');
    expect(servicesFor(plan.ports.get(443), 'good.example')).to.deep.equal(['good']);
    expect(plan.ports.get(443)?.rest).to.equal(undefined);
  });

  const restrictions = [
    ['users', {}, { users: [{ username: 'u', passwordHash: 'x' }] }],
    ['verifyClientSsl', { verifyClientSsl: true }, {}],
    ['denyHttp', { denyHttp: true }, {}],
  ] as const;
  for (const [label, destination, definition] of restrictions)
    it(`never relays past ${label}, which it cannot honour`, () => {
      const plan = planRelays([relayed('db', destination, definition)]);
      expect(plan.ports.get(5000)).to.equal(undefined);
      expect(plan.problems.get('swarm/db')?.[0]).to.include({ reason: 'label-not-honoured', label });
    });
});
