import { expect } from 'chai';
import { nextAttemptMs } from './retry-schedule.ts';

describe('the schedule of retries', () => {
  const minuteMs = 60_000;
  for (const [failures, waitMs] of [
    [1, minuteMs],
    [2, 10 * minuteMs],
    [3, 100 * minuteMs],
    [4, 24 * 60 * minuteMs],
    [9, 24 * 60 * minuteMs],
  ] as const)
    it(`waits ${waitMs / minuteMs} min after failure ${failures}`, () => {
      expect(nextAttemptMs(failures, 1_000)).to.equal(1_000 + waitMs);
    });

  it('waits for the CA’s own time where that is later, and not less', () => {
    expect(nextAttemptMs(1, 1_000, 5 * minuteMs)).to.equal(1_000 + 5 * minuteMs);
    expect(nextAttemptMs(2, 1_000, 5 * minuteMs)).to.equal(1_000 + 10 * minuteMs);
  });
});
