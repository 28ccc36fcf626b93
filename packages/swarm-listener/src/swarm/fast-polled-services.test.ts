import { expect } from 'chai';
import { createFastPolledServices } from './fast-polled-services.ts';

describe('fast-polled services', () => {
  const limits = { leastMs: 1_000, mostMs: 300_000 };

  it('stay until they have converged', () => {
    const fastPolled = createFastPolledServices(limits);
    fastPolled.add(['a'], 0);
    fastPolled.seen('a', false, 60_000);
    expect(fastPolled.ids()).to.deep.equal(['a']);
    fastPolled.seen('a', true, 60_100);
    expect(fastPolled.ids()).to.deep.equal([]);
  });

  it('stay although they look converged right after the event', () => {
    const fastPolled = createFastPolledServices(limits);
    fastPolled.add(['a'], 0);
    fastPolled.seen('a', true, 5);
    expect(fastPolled.ids()).to.deep.equal(['a']);
  });

  it('leave after five minutes', () => {
    const fastPolled = createFastPolledServices(limits);
    fastPolled.add(['a'], 0);
    fastPolled.seen('a', false, 300_000);
    expect(fastPolled.ids()).to.deep.equal([]);
  });

  it('start over with every event', () => {
    const fastPolled = createFastPolledServices(limits);
    fastPolled.add(['a'], 0);
    fastPolled.add(['a'], 299_000);
    fastPolled.seen('a', false, 301_000);
    expect(fastPolled.ids()).to.deep.equal(['a']);
  });
});
