import type { EndpointDrain, EndpointsDocument } from '@swarmgate/registry';
import { expect } from 'chai';
import type { Endpoint } from '../model/endpoint.ts';
import { drainOf, withDrains } from './endpoint-drains.ts';

const set = { by: 'a test', since: '2026-01-02T03:00:00.000Z' };
const endpointAt = (host: string, port = 80): Endpoint => ({
  id: `${host}:${port}`,
  host,
  port,
  secure: false,
  state: 'active',
});
const documentWith = (...tasks: string[]): EndpointsDocument => ({
  version: 1,
  owner: 'swarm',
  service: 'web',
  dnsName: 'web',
  tasks: tasks.map((taskId) => ({ taskId, nodeId: 'n', state: 'active', addresses: ['10.0.1.5/24'] })),
  published: [],
});

describe('the drain of an endpoint', () => {
  // [what, drain, endpoints document, whether 10.0.1.5:80 is drained]
  const cases: readonly (readonly [string, Partial<EndpointDrain>, EndpointsDocument | undefined, boolean])[] = [
    ['its address and port', { host: '10.0.1.5', port: 80 }, undefined, true],
    ['its address', { host: '10.0.1.5' }, undefined, true],
    ['another port', { host: '10.0.1.5', port: 81 }, undefined, false],
    ['another address', { host: '10.0.1.50' }, undefined, false],
    ['its task', { host: '10.0.1.5', taskId: 't1' }, documentWith('t1'), true],
    ['a task that is gone, whose address another has', { host: '10.0.1.5', taskId: 't1' }, documentWith('t2'), false],
    ['a task, while no document is known', { host: '10.0.1.5', taskId: 't1' }, undefined, true],
  ];
  for (const [what, drain, document, isDrained] of cases)
    it(`of ${what}: ${isDrained ? 'drained' : 'takes requests'}`, () => {
      const drains = [{ host: '', ...set, ...drain }];
      expect(drainOf(endpointAt('10.0.1.5'), drains, document) !== undefined).to.equal(isDrained);
    });

  it('leaves the group as it is where none of its endpoints is meant', () => {
    const group = { endpoints: [endpointAt('10.0.1.5')] };
    expect(withDrains(group, [{ host: '10.0.1.6', ...set }], undefined)).to.equal(group);
  });

  it('of all endpoints leaves none that takes requests, and is a problem', () => {
    const endpoints = [endpointAt('10.0.1.5'), endpointAt('10.0.1.6')];
    const one = withDrains({ endpoints }, [{ host: '10.0.1.5', ...set }], undefined);
    expect(one.endpoints.map(({ state }) => state)).to.deep.equal(['draining', 'active']);
    expect(one).to.not.have.property('problem');
    const drains = endpoints.map(({ host }) => ({ host, ...set }));
    const all = withDrains({ endpoints }, drains, undefined);
    expect(all.endpoints.map(({ state }) => state)).to.deep.equal(['draining', 'draining']);
    expect(all).to.have.nested.property('problem.reason', 'endpoints-drained');
    expect(all).to.have.nested.property('problem.suggestion').that.includes('off --endpoint 10.0.1.5');
  });
});
