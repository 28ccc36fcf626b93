import type { Destination } from '@swarmgate/labels';
import { serviceKey } from '@swarmgate/registry';
import { expect } from 'chai';
import { definitionOf, type GivenService } from '../../test/routing-cases.ts';
import type { RequestTarget } from '../model/request-target.ts';
import { createRouteTable } from './create-route-table.ts';
import type { RouteTable } from './route-table.ts';

describe('routes with a priority', () => {
  const rule = (text: string, priority = text.length): Partial<Destination> => ({ rule: text, priority });
  const ofHost = (host: string, more = '', priority?: number) => ({
    serviceDomain: [host],
    ...rule(`Host(\`${host}\`)${more}`, priority),
  });

  // [what it shows, services by name, address, the winner]
  const cases: readonly (readonly [
    string,
    Readonly<Record<string, Partial<Destination>>>,
    string,
    string | undefined,
  ])[] = [
    [
      'the longer rule comes first',
      { site: ofHost('a.example'), api: ofHost('a.example', ' && PathPrefix(`/api`)') },
      'a.example/api/x',
      'api',
    ],
    [
      'a rule that does not fit is passed over',
      { site: ofHost('a.example'), api: ofHost('a.example', ' && PathPrefix(`/api`)') },
      'a.example/x',
      'site',
    ],
    [
      'a higher number comes before a longer rule',
      { site: ofHost('a.example', '', 1000), api: ofHost('a.example', ' && PathPrefix(`/api`)') },
      'a.example/api',
      'site',
    ],
    [
      'a rule for any host comes before one for this host where its number is higher',
      { site: ofHost('a.example'), any: { servicePath: ['/'], ...rule('PathPrefix(`/`)', 1000) } },
      'a.example/',
      'any',
    ],
    [
      'a catch-all of priority 1 takes what is left',
      { site: ofHost('a.example'), any: { servicePath: ['/'], ...rule('HostRegexp(`.+`)', 1) } },
      'b.example/',
      'any',
    ],
    ['a prefix is text', { api: ofHost('a.example', ' && PathPrefix(`/api`)') }, 'a.example/apiary', 'api'],
    [
      'no other spelling of a path gets past a negation',
      { open: ofHost('a.example', ' && !PathPrefix(`/admin`)') },
      'a.example/admin/x',
      undefined,
    ],
    [
      'a route without one comes first where it is as specific',
      { plain: { serviceDomain: ['a.example'] }, site: ofHost('a.example', '', 1000) },
      'a.example/',
      'plain',
    ],
    [
      'a route without one that is less specific comes behind',
      { plain: { serviceDomain: ['*.example'] }, site: ofHost('a.example') },
      'a.example/',
      'site',
    ],
    [
      'a route without one that is more specific comes first',
      { plain: { serviceDomain: ['a.example'], servicePath: ['/api'] }, site: ofHost('a.example', '', 1000) },
      'a.example/api',
      'plain',
    ],
    [
      'the port decides before the priority',
      {
        ssl: { ...ofHost('a.example', '', 9), entryPorts: ['ssl'] },
        plain: { ...ofHost('a.example'), entryPorts: ['plain'] },
      },
      'a.example/',
      'plain',
    ],
  ];
  for (const order of ['strict', 'legacy'] as const)
    for (const [what, services, address, expected] of cases)
      it(`${order}: ${what}`, () => {
        expect(winner(tableOf(services, order), address)).to.equal(expected);
        // Whatever the order of arrival.
        const reversed = Object.fromEntries(Object.entries(services).toReversed());
        expect(winner(tableOf(reversed, order), address)).to.equal(expected);
      });

  it('are found among many of one host', () => {
    const many = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [`s${at}`, ofHost('a.example', ` && PathPrefix(\`/${at}x\`)`)]),
    );
    const table = tableOf({ ...many, site: ofHost('a.example') }, 'strict');
    for (const at of [0, 7, 39]) expect(winner(table, `a.example/${at}xy`)).to.equal(`s${at}`);
    expect(winner(table, 'a.example/none')).to.equal('site');
  });

  it('explain which number came first', () => {
    const table = tableOf({ site: ofHost('a.example', '', 1000), api: ofHost('a.example', '', 5) }, 'strict');
    const { candidates } = table.explain(target('a.example/'));
    expect(candidates.map(({ failed }) => failed.message).join()).to.include('its priority is 1000, not 5');
    expect(table.problems().size).to.equal(0);
  });

  it('have fields of their own over those of the service', () => {
    const table = tableOf({
      shop: { ...ofHost('a.example'), overrides: { setReqHeader: [{ name: 'X-A', value: '1' }] } },
    });
    const route = table.lookup(target('a.example/'));
    expect(route?.definition.setReqHeader).to.deep.equal([{ name: 'X-A', value: '1' }]);
  });

  it('are served without their own fields by no proxy that does not know them', () => {
    const definition = definitionOf(given('shop', { ...ofHost('a.example'), overrides: {}, requires: ['overrides'] }));
    const table = createRouteTable({
      order: 'strict',
      instanceName: 'docker-flow',
      filterInstanceName: false,
      features: new Set(['auth']),
    }).with(new Map([[serviceKey(definition), definition]]));
    expect(table.lookup(target('a.example/'))?.blockedBy).to.equal('overrides');
  });
});

function given(service: string, destination: Partial<Destination>): GivenService {
  return { service, destinations: [destination] };
}

function tableOf(
  services: Readonly<Record<string, Partial<Destination>>>,
  order: 'strict' | 'legacy' = 'strict',
): RouteTable {
  const definitions = Object.entries(services).map(([name, destination]) => definitionOf(given(name, destination)));
  return createRouteTable({ order, instanceName: 'docker-flow', filterInstanceName: false }).with(
    new Map(definitions.map((definition) => [serviceKey(definition), definition])),
  );
}

function target(address: string): RequestTarget {
  const slash = address.indexOf('/');
  return {
    method: 'GET',
    host: address.slice(0, slash),
    path: address.slice(slash),
    port: 80,
    header: () => undefined,
  };
}

function winner(table: RouteTable, address: string): string | undefined {
  return table.lookup(target(address))?.definition.service;
}
