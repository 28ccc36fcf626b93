import { expect } from 'chai';
import { TokenBucket } from './token-bucket.ts';

describe('an budgets', () => {
  it('lets so many a second pass, however many requests come', () => {
    const budgets = new TokenBucket(10);
    let passed = 0;
    for (let nowMs = 0; nowMs < 10_000; nowMs += 1) if (budgets.take(nowMs)) passed += 1;
    // Ten at once at the start, then ten in each of ten seconds.
    expect(passed).to.be.within(109, 110);
  });

  it('saves no more than one second’s worth', () => {
    const budgets = new TokenBucket(10);
    budgets.take(0, 10);
    let passed = 0;
    for (let requested = 0; requested < 100; requested += 1) if (budgets.take(3_600_000)) passed += 1;
    expect(passed).to.equal(10);
  });
});
