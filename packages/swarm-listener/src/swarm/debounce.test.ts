import { expect } from 'chai';
import { createDebounce } from './debounce.ts';

describe('the debounce of triggers', () => {
  it('has nothing due while nothing waits', () => {
    expect(createDebounce({ quietMs: 20, mostMs: 100 }).dueAtMs()).to.equal(undefined);
  });

  it('lets the first one through at once', () => {
    const debounce = createDebounce({ quietMs: 20, mostMs: 100 });
    debounce.add(1_000);
    expect(debounce.dueAtMs()).to.equal(1_000);
  });

  it('collects the ones that follow until it is quiet', () => {
    const debounce = createDebounce({ quietMs: 20, mostMs: 100 });
    debounce.add(1_000);
    debounce.take(1_000);
    debounce.add(1_005);
    expect(debounce.dueAtMs()).to.equal(1_025);
    debounce.add(1_015);
    expect(debounce.dueAtMs()).to.equal(1_035);
  });

  it('never delays a storm longer than its limit', () => {
    const debounce = createDebounce({ quietMs: 20, mostMs: 100 });
    debounce.add(1_000);
    debounce.take(1_000);
    for (let now = 1_001; now <= 1_300; now++) debounce.add(now);
    expect(debounce.dueAtMs()).to.equal(1_101);
  });

  it('starts over after a quiet time', () => {
    const debounce = createDebounce({ quietMs: 20, mostMs: 100 });
    debounce.add(1_000);
    debounce.take(1_000);
    debounce.add(1_020);
    expect(debounce.dueAtMs()).to.equal(1_020);
  });
});
