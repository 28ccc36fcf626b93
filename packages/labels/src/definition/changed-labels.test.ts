import { expect } from 'chai';
import type { ServiceDefinition } from '../definition/service-definition.ts';
import { changedLabels } from './changed-labels.ts';

describe('changedLabels', () => {
  const before: ServiceDefinition = {
    version: 1,
    service: 'shop',
    owner: 'swarm',
    source: { kind: 'rest', by: 'tests' },
    updatedAt: '2026-01-01T00:00:00.000Z',
    destinations: [{ index: 0, since: 1, servicePath: ['/shop'], port: 8080 }],
    users: [{ username: 'admin', passwordHash: 'one' }],
  };
  const [first] = before.destinations as [ServiceDefinition['destinations'][number]];

  it('names the labels of service and destinations, with their index', () => {
    const after: ServiceDefinition = {
      ...before,
      users: [{ username: 'admin', passwordHash: 'other' }],
      destinations: [
        { ...first, timeoutServerMs: 5_000 },
        { ...first, index: 2, servicePath: ['/two'] },
      ],
    };
    expect(changedLabels(before, after)).to.deep.equal(['users', 'timeoutServer', 'servicePath.2', 'port.2']);
    expect(changedLabels(after, before)).to.deep.equal(changedLabels(before, after));
  });

  it('names nothing for what is no label: dates and the version that it came from', () => {
    const after: ServiceDefinition = {
      ...before,
      updatedAt: '2027-01-01T00:00:00.000Z',
      source: { kind: 'rest', by: 'others' },
      destinations: [{ ...first, since: 2 }],
    };
    expect(changedLabels(before, after)).to.deep.equal([]);
  });
});
