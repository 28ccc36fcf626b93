import { expect } from 'chai';
import { aNode, aService, aTask } from '../../test/swarm-fixtures.ts';
import type { SwarmListing } from '../swarm/swarm-view.ts';
import { viewOf } from '../swarm/swarm-view.ts';
import { decideNotifications, nothingNotified } from './notify-changes.ts';

const options = {
  notifyLabel: 'com.df.notify',
  serviceNamePrefix: '',
  includeNodeInfo: false,
  immediately: false,
};
const view = (over: Partial<SwarmListing> = {}) =>
  viewOf({ swarmId: 's', services: [aService()], tasks: [aTask()], nodes: [], networks: [], ...over });
const scraped = aService({ labels: { ...aService().labels, 'com.df.scrapeNetwork': 'monitor' } });

describe('notifications to other tools', () => {
  it('are sent for a new service with its parameters, once', () => {
    const first = decideNotifications(view(), nothingNotified, options);
    expect(first.pending).to.deep.equal([
      {
        of: 'service',
        kind: 'create',
        id: 'service-1',
        parameters: { distribute: 'true', port: '8080', replicas: '1', serviceName: 'go-demo', servicePath: '/demo' },
      },
    ]);
    expect(decideNotifications(view(), first.notified, options).pending).to.deep.equal([]);
  });

  it('are sent for a change of a parameter, and of nothing else', () => {
    const { notified } = decideNotifications(view(), nothingNotified, options);
    const same = view({ services: [aService({ versionIndex: 11 })] });
    expect(decideNotifications(same, notified, options).pending).to.deep.equal([]);
    const scaled = view({ services: [aService({ mode: { kind: 'replicated', replicas: 2 } })] });
    expect(decideNotifications(scaled, notified, options).pending[0]?.parameters.replicas).to.equal('2');
  });

  it('are sent for a removal when the service is removed or scaled to zero', () => {
    const { notified } = decideNotifications(view(), nothingNotified, options);
    for (const services of [[], [aService({ mode: { kind: 'replicated', replicas: 0 } })]]) {
      expect(decideNotifications(view({ services }), notified, options).pending).to.deep.equal([
        {
          of: 'service',
          kind: 'remove',
          id: 'service-1',
          parameters: { serviceName: 'go-demo', distribute: 'true' },
        },
      ]);
    }
  });

  it('wait for a running task where the service is scraped', () => {
    const starting = view({ services: [scraped], tasks: [aTask({ state: 'starting' })] });
    expect(decideNotifications(starting, nothingNotified, options).pending).to.deep.equal([]);
    expect(decideNotifications(starting, nothingNotified, { ...options, immediately: true }).pending).to.have.length(1);
    expect(decideNotifications(view({ services: [scraped] }), nothingNotified, options).pending).to.have.length(1);
  });

  it('are not sent for a removal while a known service has no running task for a moment', () => {
    const { notified } = decideNotifications(view({ services: [scraped] }), nothingNotified, options);
    const between = view({ services: [scraped], tasks: [] });
    expect(decideNotifications(between, notified, options).pending).to.deep.equal([]);
  });

  it('carry the names of their targets, also for the removal', () => {
    const service = aService({ labels: { ...aService().labels, 'com.df.notifyService': 'monitor' } });
    const { pending, notified } = decideNotifications(view({ services: [service] }), nothingNotified, options);
    expect(pending[0]?.names).to.deep.equal(['monitor']);
    expect(decideNotifications(view({ services: [] }), notified, options).pending[0]?.names).to.deep.equal(['monitor']);
  });

  it('are sent for a node that joins, changes or leaves, and not for its heartbeat', () => {
    const of = (nodes: SwarmListing['nodes']) => view({ services: [], nodes });
    const joined = decideNotifications(of([aNode({ labels: { 'com.df.zone': 'a' } })]), nothingNotified, options);
    expect(joined.pending[0]).to.deep.include({ of: 'node', kind: 'create' });
    expect(joined.pending[0]?.parameters).to.deep.equal({
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
    expect(decideNotifications(alive, joined.notified, options).pending).to.deep.equal([]);
    const drained = of([aNode({ availability: 'drain', labels: { 'com.df.zone': 'a' } })]);
    expect(decideNotifications(drained, joined.notified, options).pending[0]?.parameters.availability).to.equal(
      'drain',
    );
    expect(decideNotifications(of([]), joined.notified, options).pending).to.deep.equal([
      {
        of: 'node',
        kind: 'remove',
        id: 'node-1',
        parameters: { id: 'node-1', hostname: 'one', address: '192.0.2.11' },
      },
    ]);
  });
});
