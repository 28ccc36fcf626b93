import { expect } from 'chai';
import fc from 'fast-check';
import { admit, type Budget, countFailures, emptyBudget, refund, registeredDomain } from './budget.ts';
import { issuerOf } from './issuers.ts';
import { nextAttemptMs } from './retry-schedule.ts';

const hourMs = 3_600_000;
const { limits } = issuerOf('letsencrypt');

describe('the budget', () => {
  const spend = (budget: Budget, names: readonly string[], nowMs: number, exempt = false) => {
    const admission = admit(budget, limits, { names, exempt }, nowMs);
    return admission.ok ? admission.budget : admission;
  };

  it('names the limit that is used up, for what, and when it has room again', () => {
    let budget = emptyBudget;
    for (let n = 0; n < 4; n += 1) budget = spend(budget, ['a.example.com'], n * hourMs) as Budget;
    expect(spend(budget, ['a.example.com'], 5 * hourMs)).to.deep.equal({
      ok: false,
      limit: 'sets',
      of: 'a.example.com',
      freeAtMs: 7 * 24 * hourMs,
    });
    expect(spend(budget, ['a.example.com'], 7 * 24 * hourMs)).to.not.have.property('ok');
  });

  it('counts registered domains by the public suffix list', () => {
    const cases = [
      ['a.b.example.com', 'example.com'],
      ['example.co.uk', 'example.co.uk'],
      ['*.a.example.co.uk', 'example.co.uk'],
      ['me.github.io', 'me.github.io'],
      ['8.8.8.8', '8.8.8.8'],
    ] as const;
    for (const [name, domain] of cases) expect(registeredDomain(name), name).to.equal(domain);
  });

  it('exempts renewals that the CA suggested from all but the count of orders', () => {
    let budget = emptyBudget;
    for (let n = 0; n < 200; n += 1) budget = spend(budget, ['a.example.com'], n, true) as Budget;
    expect(budget.orders).to.have.length(200);
    expect(spend(budget, ['a.example.com'], 200)).to.not.have.property('ok');
  });

  it('admits such a renewal where the limit of its set is used up', () => {
    let budget = emptyBudget;
    for (let n = 0; n < 4; n += 1) budget = spend(budget, ['a.example.com'], n) as Budget;
    expect(spend(budget, ['a.example.com'], 4)).to.have.property('limit', 'sets');
    expect(spend(budget, ['a.example.com'], 4, true)).to.not.have.property('ok');
  });

  it('counts one set of names whatever their order', () => {
    let budget = emptyBudget;
    for (let n = 0; n < 4; n += 1)
      budget = spend(
        budget,
        n % 2 === 0 ? ['a.example.com', 'b.example.com'] : ['b.example.com', 'a.example.com'],
        n,
      ) as Budget;
    expect(spend(budget, ['b.example.com', 'a.example.com'], 4)).to.have.property('limit', 'sets');
  });

  it('refuses a name that failed four times within an hour', () => {
    let budget = emptyBudget;
    for (let n = 0; n < 4; n += 1) budget = countFailures(budget, ['a.example.com'], n);
    expect(spend(budget, ['a.example.com'], 4)).to.deep.include({ limit: 'failures', freeAtMs: hourMs });
    expect(spend(budget, ['b.example.com'], 4)).to.not.have.property('ok');
  });

  it('gives back what an order without a certificate spent on its set and domain, once, and the order itself never', () => {
    let budget = emptyBudget;
    for (let n = 0; n < 4; n += 1) budget = spend(budget, ['a.example.com'], n) as Budget;
    budget = refund(refund(budget, ['a.example.com'], 2), ['a.example.com'], 2);
    expect(budget.orders).to.have.length(4);
    expect(budget.domains).to.deep.equal({ 'example.com': [0, 1, 3] });
    budget = spend(budget, ['a.example.com'], 4) as Budget;
    expect(spend(budget, ['a.example.com'], 5)).to.have.property('limit', 'sets');
  });

  it('counts a moment of a clock that was ahead', () => {
    let budget = emptyBudget;
    for (let n = 0; n < 4; n += 1) budget = countFailures(budget, ['a.example.com'], 2 * hourMs + n);
    expect(spend(budget, ['a.example.com'], 0)).to.have.property('limit', 'failures');
  });

  // The CA's own limits, counted here by hand over sliding windows, whatever comes in whatever order.
  it('never lets more through than the CA allows', () => {
    const step = fc.record({
      names: fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 3 }),
      waitMs: fc.integer({ min: 0, max: 3 * hourMs }),
      fails: fc.boolean(),
    });
    const property = fc.property(fc.array(step, { minLength: 100, maxLength: 400 }), (steps) => {
      let nowMs = 0;
      let budget = emptyBudget;
      const orders: { atMs: number; names: string[]; fails: boolean }[] = [];
      for (const { names: numbers, waitMs, fails } of steps) {
        nowMs += waitMs % 7 === 0 ? waitMs : waitMs / 1000;
        const names = numbers.map((n) => `n${n}.example${n % 2}.com`).sort();
        const admission = admit(budget, limits, { names, exempt: false }, nowMs);
        if (!admission.ok) {
          expect(admission.freeAtMs).to.be.greaterThan(nowMs);
          continue;
        }
        budget = fails ? countFailures(admission.budget, names, nowMs) : admission.budget;
        orders.push({ atMs: nowMs, names, fails });
      }
      const within = (endMs: number, windowMs: number) =>
        orders.filter(({ atMs }) => atMs <= endMs && atMs > endMs - windowMs);
      for (const { atMs, names } of orders) {
        expect(within(atMs, 3 * hourMs).length).to.be.at.most(300);
        const week = within(atMs, 7 * 24 * hourMs);
        expect(week.filter((other) => other.names.join() === names.join()).length).to.be.at.most(5);
        for (const domain of new Set(names.map(registeredDomain)))
          expect(
            week.filter((other) => other.names.some((name) => registeredDomain(name) === domain)).length,
          ).to.be.at.most(50);
        for (const name of names)
          expect(
            within(atMs, hourMs).filter((other) => other.fails && other.names.includes(name)).length,
          ).to.be.at.most(5);
      }
    });
    fc.assert(property, { seed: 13, numRuns: 40 });
  }).timeout(20_000);
});

describe('the retry schedule', () => {
  const minuteMs = 60_000;
  const cases = [
    [1, 0, minuteMs],
    [2, 0, 10 * minuteMs],
    [3, 0, 100 * minuteMs],
    [4, 0, 1_440 * minuteMs],
    [40, 0, 1_440 * minuteMs],
    [1, 5 * hourMs, 5 * hourMs],
    [4, hourMs, 1_440 * minuteMs],
  ] as const;
  for (const [failures, retryAfterMs, waitMs] of cases)
    it(`waits ${waitMs / minuteMs} min after failure ${failures} with Retry-After ${retryAfterMs / 1000} s`, () => {
      expect(nextAttemptMs(failures, 7, retryAfterMs)).to.equal(7 + waitMs);
    });
});
