import type { ServiceDefinition } from '@swarmgate/registry';
import { expect } from 'chai';
import { effectsOf } from './effects.ts';

function definition(service: string, since: number, more: object = {}): ServiceDefinition {
  return {
    version: 1,
    service,
    owner: 'swarm',
    source: { kind: 'rest', by: 'a test' },
    updatedAt: '2026-01-02T03:04:05.000Z',
    destinations: [{ index: 0, since, servicePath: ['/shop'], port: 80, ...more }],
  };
}

const options = { order: 'strict', instanceName: 'swarmgate', isOfStack: () => false } as const;

describe('the effects of definitions', () => {
  it('leave an updated service the age of its matches', () => {
    const registered = [definition('shop', 1), definition('rival', 5)];
    const { taken, lost, changed } = effectsOf(registered, [definition('shop', 100, { port: 81 })], options);
    expect([taken, lost]).to.deep.equal([[], []]);
    expect(changed).to.have.length(1);
  });

  it('list requests that a more specific service takes from another one', () => {
    const { taken, added } = effectsOf(
      [definition('shop', 1)],
      [definition('cart', 100, { servicePath: ['/shop/cart'] })],
      options,
    );
    expect(taken).to.deep.equal([{ request: 'any.invalid/shop/cart', from: 'swarm/shop', by: 'swarm/cart' }]);
    expect(added).to.have.length(1);
  });

  it('name the match that an older service keeps', () => {
    const { taken, lost } = effectsOf([definition('shop', 1)], [definition('rival', 100)], options);
    expect(taken).to.deep.equal([]);
    expect(lost.map(({ service }) => service)).to.deep.equal(['swarm/rival']);
  });

  it('remove what the stack does not have any more', () => {
    const { removed } = effectsOf([definition('shop', 1)], [], { ...options, isOfStack: () => true });
    expect(removed).to.have.length(1);
  });
});
