import { expect } from 'chai';
import { Budget } from './budget.ts';

/** How many charges of 1 are taken at once. */
function taken(budget: Budget): number {
  let count = 0;
  while (count < 1_000 && budget.charge(1)) count++;
  return count;
}

describe('a budget', () => {
  const rate = { burst: 10, perSecond: 4 };

  it('allows its burst at once, and then its rate', () => {
    let now = 5_000;
    const budget = new Budget(rate, () => now);
    expect(taken(budget)).to.equal(10);
    // The charge that failed is owed.
    now += 500;
    expect(taken(budget)).to.equal(1);
    now += 500;
    expect(taken(budget)).to.equal(1);
  });

  it('saves no more than its burst', () => {
    let now = 0;
    const budget = new Budget(rate, () => now);
    now += 1_000_000;
    expect(taken(budget)).to.equal(10);
  });

  it('gives back no more than its burst', () => {
    const budget = new Budget(rate, () => 0);
    budget.refund(500);
    expect(taken(budget)).to.equal(10);
    budget.refund(3);
    expect(taken(budget)).to.equal(2);
  });
});
