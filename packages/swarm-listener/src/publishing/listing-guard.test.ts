import type { ServiceDefinition } from '@swarmgate/registry';
import { expect } from 'chai';
import { judgeEvidence } from './listing-guard.ts';

const registeredAt = (versionIndex: number, swarmId = 'swarm-1') => {
  const definition: ServiceDefinition = {
    version: 1,
    service: 'web',
    owner: 'swarm',
    source: { kind: 'swarm', swarmId, serviceId: 'id', versionIndex },
    updatedAt: '2026-01-01T00:00:00Z',
    destinations: [{ index: 0, since: 0, port: 80, servicePath: ['/'] }],
  };
  return new Map([
    ['web', { definition }],
    ['broken', { definition: 'uncertain' } as const],
  ]);
};
const said = (highestVersionIndex: number) => ({ swarmId: 'swarm-1', highestVersionIndex });
const none = { acceptedVersionIndex: 0 };

describe('a state of the Swarm', () => {
  it('is fresh when it is as new as what is registered', () => {
    expect(judgeEvidence(said(50), registeredAt(50), none)).to.deep.equal({ kind: 'fresh' });
  });

  it('is stale where the registry holds a newer one', () => {
    expect(judgeEvidence(said(49), registeredAt(50), none)).to.deep.equal({
      kind: 'stale',
      registeredVersionIndex: 50,
    });
  });

  it('is fresh again once the newer one was accepted as lost', () => {
    expect(judgeEvidence(said(49), registeredAt(50), { acceptedVersionIndex: 50 }).kind).to.equal('fresh');
    expect(judgeEvidence(said(49), registeredAt(51), { acceptedVersionIndex: 50 }).kind).to.equal('stale');
  });

  it('belongs to another Swarm until this one adopts', () => {
    expect(judgeEvidence(said(50), registeredAt(9, 'swarm-0'), none)).to.deep.equal({
      kind: 'other-swarm',
      registeredSwarmId: 'swarm-0',
    });
    const adopted = { acceptedVersionIndex: 0, adoptedSwarmId: 'swarm-1' };
    expect(judgeEvidence(said(5), registeredAt(9, 'swarm-0'), adopted).kind).to.equal('fresh');
    expect(judgeEvidence({ ...said(5), swarmId: 'swarm-2' }, registeredAt(9, 'swarm-0'), adopted).kind).to.equal(
      'other-swarm',
    );
  });

  it('is fresh where nothing is registered', () => {
    expect(judgeEvidence(said(1), new Map(), none).kind).to.equal('fresh');
  });
});
