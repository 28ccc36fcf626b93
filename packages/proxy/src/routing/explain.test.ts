import { serviceKey } from '@swarmgate/registry';
import { expect } from 'chai';
import { definitionOf, type GivenService } from '../../test/routing-cases.ts';
import type { RequestTarget } from '../model/request-target.ts';
import { createRouteTable } from './create-route-table.ts';
import type { RouteTable } from './route-table.ts';

describe('explain', () => {
  const winner: GivenService = {
    service: 'winner',
    destinations: [{ serviceDomain: ['shop.example'], servicePath: ['/a'] }],
  };

  const cases: readonly (readonly [string, GivenService, string, string])[] = [
    ['host', one({ serviceDomain: ['blog.example'] }), 'host', 'host is shop.example, not blog.example'],
    ['path', one({ servicePath: ['/b'] }), 'path', 'path is /a/x, not /b'],
    ['port', one({ servicePath: ['/a'], srcPort: 8081 }), 'port', 'entry port is 8081, not 80'],
    [
      'pathExclude',
      one({ servicePath: ['/'], servicePathExclude: ['/a'] }),
      'pathExclude',
      'path is /a/x, which servicePathExclude leaves out',
    ],
    ['header', one({ servicePath: ['/a'], serviceHeader: { 'X-Beta': '1' } }), 'header', 'header x-beta is not 1'],
    [
      'header that may hold a credential',
      one({ servicePath: ['/a'], serviceHeader: { 'X-Auth': 'opensesame' } }),
      'header',
      'header x-auth is not the required one',
    ],
    ['userAgent', one({ servicePath: ['/a'], userAgent: ['Bot'] }), 'userAgent', 'user agent holds none of bot'],
    ['method', one({ servicePath: ['/a'], allowedMethods: ['POST'] }), 'method', 'does not take GET'],
    [
      'instance',
      { ...one({ servicePath: ['/a'] }), proxyInstanceName: 'dmz' },
      'instance',
      'is for the proxy instance dmz',
    ],
    [
      'shadowed',
      one({ servicePath: ['/a'] }),
      'shadowed',
      'swarm/winner/0 comes first: it is more specific (shop.example /a before any host /a)',
    ],
    [
      'conflict',
      one({ serviceDomain: ['shop.example'], servicePath: ['/a'], since: 2000 }),
      'conflict',
      'shop.example /a is matched by swarm/winner too, which takes precedence',
    ],
    ['tcp', one({ reqMode: 'tcp', srcPort: 5432 }), 'port', 'serves tcp on port 5432, not http'],
  ];
  for (const [name, other, condition, message] of cases) {
    it(`names the failed condition: ${name}`, () => {
      const explanation = tableOf([winner, other]).explain(request('shop.example', '/a/x'));
      expect(explanation.winner?.id).to.equal('swarm/winner/0');
      expect(explanation.candidates.map(({ failed }) => failed)).to.deep.equal([{ condition, message }]);
    });
  }

  it('names the definition that overrides another', () => {
    const table = tableOf([winner, { ...winner, owner: 'manual' }]);
    const { candidates } = table.explain(request('shop.example', '/a'));
    expect(candidates[0]?.failed).to.deep.equal({
      condition: 'overridden',
      message: 'manual/winner overrides it',
    });
  });

  it('names the default backend as the winner without a match', () => {
    const explanation = tableOf([{ ...one({ serviceDomain: ['a.example'] }), isDefaultBackend: true }, winner]).explain(
      request('other.example', '/'),
    );
    expect([explanation.winner?.id, explanation.byDefault]).to.deep.equal(['swarm/other/0', true]);
    expect(explanation.candidates.map(({ failed }) => failed.condition)).to.deep.equal(['host']);
  });

  it('never repeats what a request holds in its headers', () => {
    const table = tableOf([one({ servicePath: ['/'], serviceHeader: { authorization: 'expected' } })]);
    const target = { ...request('a.example', '/'), header: () => 'Bearer hidden' };
    expect(JSON.stringify(table.explain(target))).to.not.contain('hidden');
  });

  it('keeps the nearest candidates when there are too many', () => {
    const many = Array.from(
      { length: 50 },
      (_, at): GivenService => ({
        service: `s${at}`,
        destinations: [{ serviceDomain: [`s${at}.example`], servicePath: ['/other'] }],
      }),
    );
    const near: GivenService = {
      service: 'near',
      destinations: [{ serviceDomain: ['shop.example'], servicePath: ['/b'] }],
    };
    const { candidates, omitted } = tableOf([...many, winner, near]).explain(request('shop.example', '/a'), 3);
    expect([candidates.length, omitted]).to.deep.equal([3, 48]);
    expect(candidates.map(({ route }) => route.definition.service)).to.include('near');
  });
});

function one(destination: GivenService['destinations'][number]): GivenService {
  return { service: 'other', destinations: [destination] };
}

function tableOf(given: readonly GivenService[]): RouteTable {
  const definitions = given.map(definitionOf);
  return createRouteTable({
    order: 'strict',
    instanceName: 'swarmgate',
    filterInstanceName: true,
  }).with(new Map(definitions.map((definition) => [serviceKey(definition), definition])));
}

function request(host: string, path: string): RequestTarget {
  return { method: 'GET', host, path, port: 80, header: () => undefined };
}
