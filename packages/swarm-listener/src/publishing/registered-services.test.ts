import type {
  EndpointsDocument,
  FullReadCause,
  RegistryChange,
  ServiceDefinition,
  ServiceKey,
} from '@swarmgate/registry';
import { expect } from 'chai';
import {
  followedOf,
  followRegistered,
  type Registered,
  servicesOf,
  withOwnWrites,
  withUncertain,
} from './registered-services.ts';

const endpoints = (dnsName: string): EndpointsDocument => ({
  version: 1,
  service: 'web',
  owner: 'swarm',
  dnsName,
  tasks: [],
  published: [],
});
const snapshot = (
  sequence: number,
  registryId = 'r1',
  keys: readonly ServiceKey[] = ['swarm/web'],
  cause: FullReadCause = 'start',
): RegistryChange => ({
  kind: 'snapshot',
  cause,
  journalled: new Set(),
  snapshot: {
    revision: `${registryId}:${sequence}`,
    registryId,
    sequence,
    services: new Map(),
    endpoints: new Map(keys.map((key) => [key, { ok: true, document: endpoints('A'), index: 1 }])),
    labelProblems: new Map(),
    foreignKeys: [],
  },
});
const at = (sequence: number, registryId = 'r1') => ({ registryId, sequence });
const delta = (sequence: number, dnsName: string | undefined): RegistryChange => ({
  kind: 'delta',
  revision: `r1:${sequence}`,
  sequence,
  services: new Map(),
  endpoints: new Map([
    ['swarm/web', dnsName === undefined ? undefined : { ok: true, document: endpoints(dnsName), index: sequence }],
  ]),
  labelProblems: new Map(),
});
const follow = (changes: readonly RegistryChange[], before: Registered = { kind: 'unknown' }) =>
  changes.reduce((state, change) => followRegistered(state, change, 'swarm'), before);
const dnsNameIn = (registered: Registered) => {
  const document = servicesOf(registered).get('web')?.endpoints;
  return document === 'uncertain' ? document : document?.dnsName;
};
const write = (dnsName: string | null) => [
  { owner: 'swarm', service: 'web', endpoints: dnsName === null ? null : endpoints(dnsName) },
];

describe('what is registered', () => {
  it('contains what was followed of its own owner', () => {
    const state = follow([snapshot(1, 'r1', ['swarm/web', 'manual/web', 'swarm2/other'])]);
    expect([...servicesOf(state).keys()]).to.deep.equal(['web']);
  });

  it('follows deltas, also to nothing', () => {
    expect(dnsNameIn(follow([snapshot(1), delta(2, 'B')]))).to.equal('B');
    expect(servicesOf(follow([snapshot(1), delta(2, undefined)])).size).to.equal(0);
  });

  it('contains own writes before they are followed', () => {
    let state = withOwnWrites(follow([snapshot(1)]), write('B'), at(2));
    expect(dnsNameIn(state)).to.equal('B');
    state = withOwnWrites(state, write('C'), at(3));
    // The follower lags: B is followed while C is written already.
    state = follow([delta(2, 'B')], state);
    expect(dnsNameIn(state)).to.equal('C');
    state = follow([delta(3, 'C'), delta(4, 'by hand')], state);
    expect(dnsNameIn(state)).to.equal('by hand');
  });

  it('contains own removals', () => {
    expect(servicesOf(withOwnWrites(follow([snapshot(1)]), write(null), at(2))).has('web')).to.equal(false);
  });

  it('is uncertain after a write that failed, until one succeeds', () => {
    const failed = withUncertain(follow([snapshot(1)]), ['web']);
    expect(dnsNameIn(follow([delta(2, 'B')], failed))).to.equal('uncertain');
    expect(dnsNameIn(withOwnWrites(failed, write('B'), at(5)))).to.equal('B');
    // Nothing had to be written after all.
    expect(dnsNameIn(withOwnWrites(failed, write('A'), at(1)))).to.equal('A');
  });

  it('contains what was last followed although a write failed since', () => {
    const document: ServiceDefinition = {
      version: 1,
      service: 'web',
      owner: 'swarm',
      source: { kind: 'rest', by: 'a test' },
      updatedAt: '2026-01-02T03:04:05.000Z',
      destinations: [{ index: 0, since: 1, port: 80 }],
    };
    const defined = { ...delta(2, 'A'), services: new Map([['swarm/web', { ok: true, document, index: 2 }]]) };
    const failed = withUncertain(follow([snapshot(1), defined as RegistryChange]), ['web']);
    expect(servicesOf(failed).get('web')?.definition).to.equal('uncertain');
    expect(followedOf(failed, 'web')).to.equal(document);
    expect(followedOf({ kind: 'empty' }, 'web')).to.equal(undefined);
  });

  it('is empty without a head, and starts over with another registry', () => {
    const lost = follow([snapshot(1), { kind: 'head-missing' }]);
    expect(lost.kind).to.equal('empty');
    const ahead = withOwnWrites(follow([snapshot(8)]), write('B'), at(9));
    expect(dnsNameIn(follow([snapshot(1, 'r2')], ahead))).to.equal('A');
    expect(dnsNameIn(follow([snapshot(2)], ahead))).to.equal('A');
  });

  it('contains no own write in a registry that was restored from a backup, however often that was written since', () => {
    const ahead = withOwnWrites(follow([snapshot(8)]), write('B'), at(20));
    expect(dnsNameIn(follow([snapshot(9)], ahead))).to.equal('B');
    expect(dnsNameIn(follow([snapshot(9, 'r1', ['swarm/web'], 'index-backwards')], ahead))).to.equal('A');
  });

  it('takes nothing of own writes to a registry that is not followed yet: its snapshot shows them', () => {
    const failed = withUncertain(follow([snapshot(8)]), ['web']);
    for (const sequence of [1, 9]) expect(withOwnWrites(failed, write('A'), at(sequence, 'r2'))).to.equal(failed);
  });

  it('stays as it was while the registry is unreachable', () => {
    const state = follow([snapshot(1)]);
    expect(follow([{ kind: 'unreachable', error: new Error('refused') }], state)).to.equal(state);
  });
});
