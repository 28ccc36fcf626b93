import { expect } from 'chai';
import { networkProblem, requestedNetwork } from './network.ts';

describe('the network of a service with labels of Traefik', () => {
  const cases: readonly (readonly [what: string, Readonly<Record<string, string>>, string | undefined, string])[] = [
    ['is none without a label or setting', {}, undefined, ''],
    ['is the setting’s', {}, 'web', 'web from TRAEFIK_NETWORK'],
    ['is its label’s before the setting’s', { 'traefik.docker.network': 'a' }, 'web', 'a from traefik.docker.network'],
    [
      'is traefik.swarm.network before traefik.docker.network',
      { 'traefik.docker.network': 'a', 'Traefik.Swarm.Network': ' b ' },
      undefined,
      'b from Traefik.Swarm.Network',
    ],
    ['is the setting’s where the label is empty', { 'traefik.docker.network': '' }, 'web', 'web from TRAEFIK_NETWORK'],
  ];
  for (const [what, labels, network, expected] of cases)
    it(what, () => {
      const requested = requestedNetwork(labels, network === undefined ? {} : { network });
      expect(requested === undefined ? '' : `${requested.name} from ${requested.from}`).to.equal(expected);
    });

  const requested = { name: 'web', from: 'traefik.docker.network' };
  it('is no problem where the service has joined it, or any where none is requested', () => {
    expect(networkProblem('shop', requested, ['web', 'db'])).to.equal(undefined);
    expect(networkProblem('shop', undefined, ['db'])).to.equal(undefined);
  });

  it('is reported with the networks that the service has joined, the stack’s own first', () => {
    expect(networkProblem('shop', requested, ['db', 'shop_web'])).to.deep.include({
      severity: 'warning',
      reason: 'network-not-joined',
      label: 'traefik.docker.network',
      suggestion: 'add web to its networks, or set traefik.docker.network to shop_web',
    });
    const bySetting = networkProblem('shop', { name: 'web', from: 'TRAEFIK_NETWORK' }, ['db', 'other']);
    expect(bySetting?.suggestion).to.equal('add web to its networks, or set traefik.swarm.network to db or other');
    expect(bySetting).to.not.have.property('label');
  });

  it('is an error where the service joins none', () => {
    expect(networkProblem('shop', requested, [])).to.deep.include({ severity: 'error', reason: 'network-not-shared' });
    expect(networkProblem('shop', undefined, [])?.suggestion).to.equal("add the proxy's network to its networks");
  });
});
