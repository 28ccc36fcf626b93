import { expect } from 'chai';
import { aNode, aService, aTask } from '../../test/swarm-fixtures.ts';
import type { SwarmListing } from '../swarm/swarm-view.ts';
import { viewOf } from '../swarm/swarm-view.ts';
import { decideNotifications, nothingTold } from './notify-changes.ts';

const options = {
  notifyLabel: 'com.df.notify',
  serviceNamePrefix: '',
  includeNodeInfo: false,
  immediately: false,
};
const view = (over: Partial<SwarmListing> = {}) =>
  viewOf({ swarmId: 's', services: [aService()], tasks: [aTask()], nodes: [], networks: [], ...over });
const scraped = aService({ labels: { ...aService().labels, 'com.df.scrapeNetwork': 'monitor' } });

describe('what other tools hear', () => {
  it('is a new service with its parameters, once', () => {
    const first = decideNotifications(view(), nothingTold, options);
    expect(first.tell).to.deep.equal([
      {
        of: 'service',
        kind: 'create',
        id: 'service-1',
        parameters: { distribute: 'true', port: '8080', replicas: '1', serviceName: 'go-demo', servicePath: '/demo' },
      },
    ]);
    expect(decideNotifications(view(), first.told, options).tell).to.deep.equal([]);
  });

  it('is a change of a parameter, and not of anything else', () => {
    const { told } = decideNotifications(view(), nothingTold, options);
    const same = view({ services: [aService({ versionIndex: 11 })] });
    expect(decideNotifications(same, told, options).tell).to.deep.equal([]);
    const scaled = view({ services: [aService({ mode: { kind: 'replicated', replicas: 2 } })] });
    expect(decideNotifications(scaled, told, options).tell[0]?.parameters.replicas).to.equal('2');
  });

  it('is a removal when the service goes or is scaled to nothing', () => {
    const { told } = decideNotifications(view(), nothingTold, options);
    for (const services of [[], [aService({ mode: { kind: 'replicated', replicas: 0 } })]]) {
      expect(decideNotifications(view({ services }), told, options).tell).to.deep.equal([
        {
          of: 'service',
          kind: 'remove',
          id: 'service-1',
          parameters: { serviceName: 'go-demo', distribute: 'true' },
        },
      ]);
    }
  });

  it('waits for a running task where the service is scraped', () => {
    const starting = view({ services: [scraped], tasks: [aTask({ state: 'starting' })] });
    expect(decideNotifications(starting, nothingTold, options).tell).to.deep.equal([]);
    expect(decideNotifications(starting, nothingTold, { ...options, immediately: true }).tell).to.have.length(1);
    expect(decideNotifications(view({ services: [scraped] }), nothingTold, options).tell).to.have.length(1);
  });

  it('is no removal while a told service has no running task for a moment', () => {
    const { told } = decideNotifications(view({ services: [scraped] }), nothingTold, options);
    const between = view({ services: [scraped], tasks: [] });
    expect(decideNotifications(between, told, options).tell).to.deep.equal([]);
  });

  it('carries who shall hear it, also for the removal', () => {
    const service = aService({ labels: { ...aService().labels, 'com.df.notifyService': 'monitor' } });
    const { tell, told } = decideNotifications(view({ services: [service] }), nothingTold, options);
    expect(tell[0]?.names).to.deep.equal(['monitor']);
    expect(decideNotifications(view({ services: [] }), told, options).tell[0]?.names).to.deep.equal(['monitor']);
  });

  it('is a node that joins, changes or goes, and not a mere sign of life', () => {
    const of = (nodes: SwarmListing['nodes']) => view({ services: [], nodes });
    const joined = decideNotifications(of([aNode({ labels: { 'com.df.zone': 'a' } })]), nothingTold, options);
    expect(joined.tell[0]).to.deep.include({ of: 'node', kind: 'create' });
    expect(joined.tell[0]?.parameters).to.deep.equal({
      id: 'node-1',
      hostname: 'one',
      address: '192.0.2.11',
      versionIndex: '5',
      state: 'ready',
      role: 'manager',
      availability: 'active',
      zone: 'a',
    });
    const alive = of([aNode({ versionIndex: 6, labels: { 'com.df.zone': 'a' } })]);
    expect(decideNotifications(alive, joined.told, options).tell).to.deep.equal([]);
    const drained = of([aNode({ availability: 'drain', labels: { 'com.df.zone': 'a' } })]);
    expect(decideNotifications(drained, joined.told, options).tell[0]?.parameters.availability).to.equal('drain');
    expect(decideNotifications(of([]), joined.told, options).tell).to.deep.equal([
      {
        of: 'node',
        kind: 'remove',
        id: 'node-1',
        parameters: { id: 'node-1', hostname: 'one', address: '192.0.2.11' },
      },
    ]);
  });
});
