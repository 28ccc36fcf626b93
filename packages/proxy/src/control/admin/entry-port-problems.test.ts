import { serviceKey } from '@swarmgate/registry';
import { expect } from 'chai';
import { definitionOf, type GivenService } from '../../../test/routing-cases.ts';
import { createRouteTable } from '../../routing/create-route-table.ts';
import { EntryPortProblems } from './entry-port-problems.ts';

describe('destinations that no request can reach', () => {
  const entrypoints = [
    { port: 80, secure: false },
    { port: 8443, secure: true },
  ];
  type Given = GivenService['destinations'][number];
  const problemsOf = (given: readonly GivenService[], at = entrypoints) => {
    const definitions = new Map(given.map(definitionOf).map((each) => [serviceKey(each), each]));
    const options = { order: 'strict', instanceName: 'swarmgate', filterInstanceName: true } as const;
    const table = createRouteTable(options).with(definitions);
    const problems = new EntryPortProblems(at);
    problems.apply(table, definitions.keys());
    return [...problems.problems(table)].flatMap(([key, found]) => found.map((each) => ({ key, ...each })));
  };
  const one = (destination: Given): GivenService => ({ service: 'web', destinations: [destination] });

  const cases: readonly (readonly [string, Given, string | undefined])[] = [
    ['no port of its own', { servicePath: ['/'] }, undefined],
    ['an entrypoint', { servicePath: ['/'], srcPort: 80 }, undefined],
    ['the other entrypoint', { servicePath: ['/'], srcPort: 8443 }, undefined],
    ['a port without an entrypoint', { servicePath: ['/'], srcPort: 8081 }, 'srcPort 8081'],
    ['httpsPort, which serves at 443', { servicePath: ['/'], httpsPort: 443 }, 'httpsPort 443'],
    ['httpsPort at an entrypoint', { servicePath: ['/'], httpsPort: 443, srcHttpsPort: 8443 }, undefined],
    ['srcHttpsPort', { servicePath: ['/'], httpsPort: 443, srcHttpsPort: 444 }, 'srcHttpsPort 444'],
    ['srcPort beside httpsPort', { servicePath: ['/'], httpsPort: 1, srcHttpsPort: 8443, srcPort: 81 }, 'srcPort 81'],
    ['tcp, which opens its port', { reqMode: 'tcp', srcPort: 5432 }, undefined],
    ['sni, which opens its port', { reqMode: 'sni', serviceDomain: ['a.example'], srcPort: 5433 }, undefined],
    ['entry ports with TLS', { servicePath: ['/'], entryPorts: ['ssl'] }, undefined],
    ['entry ports, one of them there', { servicePath: ['/'], entryPorts: ['9000', 'plain'] }, undefined],
    [
      'entry ports that are not there',
      { servicePath: ['/'], entryPorts: ['9000', '80:ssl'] },
      'entryPorts 9000,80:ssl',
    ],
    ['entry ports that exclude its port', { servicePath: ['/'], srcPort: 80, entryPorts: ['ssl'] }, 'entryPorts ssl'],
  ];
  for (const [what, destination, problem] of cases)
    it(`are ${problem === undefined ? 'none' : 'reported'}: ${what}`, () => {
      const found = problemsOf([one(destination)]);
      expect(found.map(({ label, value }) => `${label} ${value}`)).to.deep.equal(
        problem === undefined ? [] : [problem],
      );
      for (const { key, reason, message } of found) {
        expect([key, reason]).to.deep.equal(['swarm/web', 'entrypoint-missing']);
        expect(message).to.include('80, 8443:ssl');
      }
    });

  it('are both halves of httpsPort where neither port is there', () => {
    const found = problemsOf([one({ servicePath: ['/'], httpsPort: 443 })], [{ port: 8080, secure: false }]);
    expect(found.map(({ value }) => value)).to.have.members(['80', '443']);
  });

  it('carry the index of their labels', () => {
    const [found] = problemsOf([{ service: 'web', destinations: [{ index: 2, servicePath: ['/'], srcPort: 81 }] }]);
    expect([found?.label, found?.suggestion]).to.deep.equal([
      'srcPort.2',
      'add it to BIND_PORTS of the proxies, or correct com.df.srcPort.2',
    ]);
  });

  it('are none of a service that another owner overrides', () => {
    const web = one({ servicePath: ['/'], srcPort: 81 });
    expect(problemsOf([web, { ...one({ servicePath: ['/'] }), owner: 'manual' }])).to.deep.equal([]);
  });
});
