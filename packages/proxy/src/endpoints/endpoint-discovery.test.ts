import { type EndpointsDocument, serviceKey } from '@swarmgate/registry';
import { expect } from 'chai';
import { definitionOf, type GivenService } from '../../test/routing-cases.ts';
import type { Route } from '../model/route.ts';
import { createRouteTable } from '../routing/create-route-table.ts';
import { type Discovery, type DiscoveryView, discoverEndpoints } from './endpoint-discovery.ts';

describe('reach', () => {
  const view: DiscoveryView = { swarmName: 'swarm', subnets: ['127.0.0.1/8', '10.0.1.7/24'], addressesFresh: true };
  const document: EndpointsDocument = {
    version: 1,
    service: 'web',
    owner: 'swarm',
    dnsName: 'stack_web',
    network: 'front',
    tasks: [
      { taskId: 't1', nodeId: 'n1', state: 'active', addresses: ['10.9.0.5/24', '10.0.1.5/24'] },
      { taskId: 't2', nodeId: 'n2', state: 'draining', addresses: ['10.0.1.6/24'] },
      { taskId: 't3', nodeId: 'n2', state: 'active', addresses: ['10.9.0.6/24'] },
    ],
    published: [
      { host: '192.0.2.1', port: 30001, targetPort: 80 },
      { host: '192.0.2.1', port: 30002, targetPort: 9090 },
    ],
    vip: '10.0.1.2/24',
  };

  it('takes the tasks whose address is in a subnet of its own', () => {
    expect(discoverEndpoints(routeOf({}), document, view)).to.deep.equal({
      kind: 'addresses',
      endpoints: [
        { id: 't1:80', host: '10.0.1.5', port: 80, secure: false, state: 'active' },
        { id: 't2:80', host: '10.0.1.6', port: 80, secure: false, state: 'draining' },
      ],
    });
  });

  it('takes IPv6 tasks as well', () => {
    const tasks = [{ taskId: 't1', nodeId: 'n1', state: 'active', addresses: ['fd00::5/64'] }] as const;
    const found = discoverEndpoints(routeOf({}), { ...document, tasks }, { ...view, subnets: ['fd00::7/64'] });
    expect(hostsOf(found)).to.deep.equal(['fd00::5']);
  });

  it('never mistakes the loopback for a shared network', () => {
    const tasks = [{ taskId: 't1', nodeId: 'n1', state: 'active', addresses: ['127.0.0.5/8'] }] as const;
    expect(discoverEndpoints(routeOf({}), { ...document, tasks }, view).kind).to.equal('names');
  });

  it('resolves the tasks’ name, then the VIP’s, when no subnet is shared', () => {
    const found = discoverEndpoints(routeOf({}), document, { ...view, subnets: ['172.17.0.2/16'] });
    expect(found.kind === 'names' && found.target).to.deep.equal({ port: 80, secure: false });
    expect(namesOf(found)).to.deep.equal(['tasks.stack_web', 'stack_web']);
    expect(found.kind === 'names' && hostsOf(found.otherwise)).to.deep.equal(['192.0.2.1']);
  });

  it('resolves names when the label requests DNS', () => {
    expect(discoverEndpoints(routeOf({ discoveryType: 'DNS' }), document, view).kind).to.equal('names');
  });

  it('on the host takes the ports published for its own port only', () => {
    expect(discoverEndpoints(routeOf({}), document, { ...view, dockerNames: false })).to.deep.equal({
      kind: 'addresses',
      endpoints: [{ id: '192.0.2.1:30001', host: '192.0.2.1', port: 30001, secure: false, state: 'active' }],
    });
  });

  it('takes published ports only for another Swarm’s service, however near its addresses look', () => {
    const found = discoverEndpoints(routeOf({ owner: 'north' }), { ...document, owner: 'north' }, view);
    expect(hostsOf(found)).to.deep.equal(['192.0.2.1']);
  });

  it('names the mend when there is no way', () => {
    const unpublished = { ...document, published: [] };
    const found = discoverEndpoints(routeOf({}), unpublished, { ...view, dockerNames: false });
    expect(found).to.deep.include({ kind: 'none', reason: 'no-endpoint' });
    expect(found.kind === 'none' && found.problem).to.include({
      reason: 'unreachable',
      suggestion: 'Attach the proxy to network front, or publish port 80 of the service.',
    });
    const foreign = discoverEndpoints(routeOf({ owner: 'north' }), { ...unpublished, owner: 'north' }, view);
    expect(foreign.kind === 'none' && foreign.problem.suggestion).to.contain('In Swarm north');
  });

  it('uses stale addresses never, only the tasks’ name', () => {
    const found = discoverEndpoints(routeOf({}), document, { ...view, addressesFresh: false });
    expect(namesOf(found)).to.deep.equal(['tasks.stack_web']);
    expect(found.kind === 'names' && found.otherwise).to.deep.include({ kind: 'none', reason: 'stale-endpoint' });
  });

  describe('of a service that is reached by its tasks alone', () => {
    const alone = { ...document, tasksOnly: true } as const;
    const reasonOf = (found: Discovery) => (found.kind === 'none' ? found.problem.reason : found.kind);

    it('takes task addresses of a shared network', () => {
      expect(hostsOf(discoverEndpoints(routeOf({}), alone, view))).to.deep.equal(['10.0.1.5', '10.0.1.6']);
      expect(hostsOf(discoverEndpoints(routeOf({}), alone, { ...view, dockerNames: false }))).to.have.length(2);
    });

    for (const [what, more] of [
      ['on another network', {}],
      ['on the host', { dockerNames: false }],
    ] as const)
      it(`takes neither names nor published ports ${what}, and names the network`, () => {
        const found = discoverEndpoints(routeOf({}), alone, { ...view, subnets: ['172.17.0.2/16'], ...more });
        expect(reasonOf(found)).to.equal('network-not-shared');
        expect(found.kind === 'none' && found.problem.suggestion).to.contain('network front');
      });

    it('takes no name that DISCOVERY_TYPE selects', () => {
      expect(discoverEndpoints(routeOf({ discoveryType: 'DNS' }), alone, view).kind).to.equal('addresses');
    });

    it('reports when none of its tasks runs', () => {
      expect(reasonOf(discoverEndpoints(routeOf({}), { ...alone, tasks: [] }, view))).to.equal('unreachable');
    });

    it('takes no published port of another Swarm, and the tasks’ name while its addresses are old', () => {
      const foreign = discoverEndpoints(routeOf({ owner: 'north' }), { ...alone, owner: 'north', published: [] }, view);
      expect(reasonOf(foreign)).to.equal('unreachable');
      const old = discoverEndpoints(routeOf({}), { ...alone, published: [] }, { ...view, addressesFresh: false });
      expect(namesOf(old)).to.deep.equal(['tasks.stack_web']);
      expect(old.kind === 'names' && reasonOf(old.otherwise)).to.equal('stale-endpoint');
    });
  });

  it('goes where outboundHostname says', () => {
    const route = routeOf({ destinations: [{ outboundHostname: 'api.example', port: 443, sslVerifyNone: true }] });
    const found = discoverEndpoints(route, document, { ...view, addressesFresh: false });
    expect(namesOf(found)).to.deep.equal(['api.example']);
    expect(found.kind === 'names' && found.target).to.deep.equal({ port: 443, secure: true });
  });

  const protocols = [
    [{}, { secure: false }],
    [{ sslVerifyNone: true }, { secure: true }],
    [{ protocol: 'http1' }, { secure: false }],
    [{ protocol: 'h2c' }, { secure: false, http2: true }],
    // The label that encrypts has its way.
    [
      { protocol: 'h2c', sslVerifyNone: true },
      { secure: true, http2: true },
    ],
    [{ protocol: 'h2' }, { secure: true, http2: true }],
    [{ protocol: 'grpc' }, { secure: false, http2: true }],
    [
      { protocol: 'grpc', sslVerifyNone: true },
      { secure: true, http2: true },
    ],
  ] as const;
  for (const [labels, spoken] of protocols)
    it(`reaches an endpoint as its labels say: ${JSON.stringify(labels)}`, () => {
      const found = discoverEndpoints(routeOf({ destinations: [{ port: 80, ...labels }] }), document, view);
      expect(found).to.deep.include({
        kind: 'addresses',
        endpoints: [
          { id: 't1:80', host: '10.0.1.5', port: 80, ...spoken, state: 'active' },
          { id: 't2:80', host: '10.0.1.6', port: 80, ...spoken, state: 'draining' },
        ],
      });
    });

  it('takes a person’s service by its name', () => {
    expect(namesOf(discoverEndpoints(routeOf({ owner: 'manual' }), undefined, view))).to.deep.equal([
      'tasks.web',
      'web',
    ]);
  });
});

function routeOf(given: Partial<GivenService>): Route {
  const definition = definitionOf({ service: 'web', destinations: [{}], ...given });
  const table = createRouteTable({
    order: 'strict',
    instanceName: 'swarmgate',
    filterInstanceName: false,
  }).with(new Map([[serviceKey(definition), definition]]));
  return table.routesOf(serviceKey(definition))[0] as Route;
}

function hostsOf(found: Discovery): readonly string[] {
  return found.kind === 'addresses' ? found.endpoints.map(({ host }) => host) : [];
}

function namesOf(found: Discovery): readonly string[] {
  return found.kind === 'names' ? found.names : [];
}
