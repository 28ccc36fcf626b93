import { expect } from 'chai';
import { createArmedServices } from './armed-services.ts';

describe('armed services', () => {
  const limits = { leastMs: 1_000, mostMs: 300_000 };

  it('stay armed until they have converged', () => {
    const armed = createArmedServices(limits);
    armed.arm(['a'], 0);
    armed.seen('a', false, 60_000);
    expect(armed.ids()).to.deep.equal(['a']);
    armed.seen('a', true, 60_100);
    expect(armed.ids()).to.deep.equal([]);
  });

  it('do not believe in convergence right after the event', () => {
    const armed = createArmedServices(limits);
    armed.arm(['a'], 0);
    armed.seen('a', true, 5);
    expect(armed.ids()).to.deep.equal(['a']);
  });

  it('give up after five minutes', () => {
    const armed = createArmedServices(limits);
    armed.arm(['a'], 0);
    armed.seen('a', false, 300_000);
    expect(armed.ids()).to.deep.equal([]);
  });

  it('begin anew with every event', () => {
    const armed = createArmedServices(limits);
    armed.arm(['a'], 0);
    armed.arm(['a'], 299_000);
    armed.seen('a', false, 301_000);
    expect(armed.ids()).to.deep.equal(['a']);
  });
});
