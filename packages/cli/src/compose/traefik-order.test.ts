import type { Destination } from '@swarmgate/labels';
import { createRouteTable } from '@swarmgate/proxy';
import { type ServiceDefinition, serviceKey } from '@swarmgate/registry';
import { expect } from 'chai';
import { orderDifferences } from './traefik-order.ts';

const routed = (
  rule: string,
  priority = Buffer.byteLength(rule),
  more: Partial<Destination> = {},
): Partial<Destination> => ({
  ...(/^Host\(`([^`]*)`\)/.test(rule)
    ? { serviceDomain: [/`([^`]*)`/.exec(rule)?.[1] ?? ''] }
    : { servicePath: ['/'] }),
  rule,
  priority,
  entryPorts: ['plain'],
  ...more,
});

function differences(services: Readonly<Record<string, Partial<Destination>>>): readonly string[] {
  const definitions = Object.entries(services).map(
    ([service, destination]): ServiceDefinition => ({
      version: 1,
      service,
      owner: 'swarm',
      source: { kind: 'rest', by: 'test' },
      updatedAt: '2026-01-01T00:00:00Z',
      destinations: [{ index: 0, since: 1, port: 80, ...destination }],
    }),
  );
  const table = createRouteTable({ order: 'strict', instanceName: 'swarmgate', filterInstanceName: false });
  return orderDifferences(table.with(new Map(definitions.map((each) => [serviceKey(each), each])))).map(
    ({ request, here, there }) => `${request}: ${here} / ${there.join(', ')}`,
  );
}

describe('the order of routes against Traefik’s', () => {
  const same: readonly (readonly [string, Readonly<Record<string, Partial<Destination>>>])[] = [
    [
      'by the length of the rule',
      { a: routed('Host(`a.example`)'), b: routed('Host(`a.example`) && PathPrefix(`/b`)') },
    ],
    ['by priority', { a: routed('Host(`a.example`)', 1000), b: routed('Host(`a.example`) && PathPrefix(`/b`)') }],
    [
      'of one host by methods',
      { a: routed('Host(`a.example`) && Method(`GET`)'), b: routed('Host(`a.example`) && Method(`POST`)') },
    ],
    ['of different hosts', { a: routed('Host(`a.example`)', 5), b: routed('Host(`b.example`)', 5) }],
    [
      'of one rule at different entrypoints',
      { a: routed('Host(`a.example`)'), b: routed('Host(`a.example`)', 17, { entryPorts: ['ssl'] }) },
    ],
    ['of labels of our own alone', { a: { serviceDomain: ['a.example'] }, b: { serviceDomain: ['a.example'] } }],
  ];
  for (const [what, services] of same) it(`is the same ${what}`, () => expect(differences(services)).to.deep.equal([]));

  it('is open in Traefik where priorities are equal', () => {
    const rule = routed('Host(`a.example`) && PathPrefix(`/x`)');
    expect(differences({ b: rule, a: rule })).to.deep.equal([
      'GET a.example/x at port 80: swarm/a/0 / swarm/a/0, swarm/b/0',
    ]);
    const found = differences({
      a: routed('Host(`a.example`) && (Method(`PUT`) || Header(`X-A`, `1`))', 7),
      any: routed('PathPrefix(`/`)', 7, { entryPorts: ['plain', 'ssl'] }),
    });
    expect(found).to.include('PUT a.example/ at port 80: swarm/a/0 / swarm/a/0, swarm/any/0');
  });

  it('differs where a label of our own is more specific, which Traefik does not read', () => {
    const found = differences({
      df: { serviceDomain: ['a.example'], servicePath: ['/api'] },
      traefik: routed('Host(`a.example`) && PathPrefix(`/api/v2`)', 5000),
      site: routed('Host(`a.example`)', 10),
    });
    expect(found).to.deep.equal([]);
    const taken = differences({
      df: { serviceDomain: ['a.example'], servicePath: ['/api'] },
      traefik: routed('HostRegexp(`^.*$`) && PathPrefix(`/api`) && Host(`a.example`)', 5000),
    });
    expect(taken).to.deep.equal(['GET a.example/api at port 80: swarm/df/0 / swarm/traefik/0']);
  });

  it('is compared for rules that cannot be sampled too, without a word where nothing is known', () => {
    expect(differences({ a: routed('HostRegexp(`^x$`)'), b: routed('!Host(`a.example`)') })).to.deep.equal([]);
  });
});
