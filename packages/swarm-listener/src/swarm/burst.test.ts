import { expect } from 'chai';
import { createBurst } from './burst.ts';

describe('a burst of triggers', () => {
  it('has nothing due while nothing waits', () => {
    expect(createBurst({ quietMs: 20, mostMs: 100 }).dueAtMs()).to.equal(undefined);
  });

  it('lets the first one through at once', () => {
    const burst = createBurst({ quietMs: 20, mostMs: 100 });
    burst.add(1_000);
    expect(burst.dueAtMs()).to.equal(1_000);
  });

  it('collects the ones that follow until it is quiet', () => {
    const burst = createBurst({ quietMs: 20, mostMs: 100 });
    burst.add(1_000);
    burst.take(1_000);
    burst.add(1_005);
    expect(burst.dueAtMs()).to.equal(1_025);
    burst.add(1_015);
    expect(burst.dueAtMs()).to.equal(1_035);
  });

  it('never holds a storm longer than its limit', () => {
    const burst = createBurst({ quietMs: 20, mostMs: 100 });
    burst.add(1_000);
    burst.take(1_000);
    for (let now = 1_001; now <= 1_300; now++) burst.add(now);
    expect(burst.dueAtMs()).to.equal(1_101);
  });

  it('is calm again after a quiet time', () => {
    const burst = createBurst({ quietMs: 20, mostMs: 100 });
    burst.add(1_000);
    burst.take(1_000);
    burst.add(1_020);
    expect(burst.dueAtMs()).to.equal(1_020);
  });
});
