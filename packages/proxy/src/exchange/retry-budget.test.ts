import { expect } from 'chai';
import { RetryBudget } from './retry-budget.ts';

/** How many retries are there now. */
function takenFrom(budget: RetryBudget): number {
  let taken = 0;
  while (taken < 1_000 && budget.take()) taken++;
  return taken;
}

const after = (budget: RetryBudget, requests: number) => {
  for (let each = 0; each < requests; each++) budget.onRequest();
  return takenFrom(budget);
};

describe('a budget for retries', () => {
  it('has 20 at the start, and no more than them after any number of requests', () => {
    expect(takenFrom(new RetryBudget())).to.equal(20);
    expect(after(new RetryBudget(), 10_000)).to.equal(20);
  });

  it('earns one retry with five requests', () => {
    const budget = new RetryBudget();
    takenFrom(budget);
    expect(after(budget, 4)).to.equal(0);
    expect(after(budget, 2)).to.equal(1);
    expect(after(budget, 50)).to.be.within(9, 10);
  });

  it('keeps retries below the share that it is given', () => {
    const budget = new RetryBudget(0.5, 2);
    expect(takenFrom(budget)).to.equal(2);
    let retried = 0;
    for (let each = 0; each < 100; each++) {
      budget.onRequest();
      if (budget.take()) retried++;
    }
    expect(retried).to.equal(50);
  });
});
