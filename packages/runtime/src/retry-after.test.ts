import { expect } from 'chai';
import { retryAfterMs } from './retry-after.ts';

describe('Retry-After', () => {
  const now = Date.UTC(2026, 0, 1, 12);
  const waits = [
    ['seconds', '120', undefined, 120_000],
    ['a date by the server’s own clock', 'Thu, 01 Jan 2026 14:01:00 GMT', 'Thu, 01 Jan 2026 14:00:00 GMT', 60_000],
    ['a date by ours where it sends none', 'Thu, 01 Jan 2026 12:01:00 GMT', undefined, 60_000],
    ['a date that is over', 'Thu, 01 Jan 2026 11:00:00 GMT', undefined, 0],
    ['31 years', '999999999', undefined, 7 * 86_400_000],
    ['a date in 80 years', 'Thu, 01 Jan 2106 14:01:00 GMT', undefined, 7 * 86_400_000],
    ['nothing', undefined, undefined, undefined],
    ['nonsense', 'soon', undefined, undefined],
    ['a negative number', '-5', undefined, undefined],
  ] as const;
  for (const [what, header, date, wait] of waits)
    it(`reads the wait from ${what}`, () => expect(retryAfterMs(header, date, now)).to.equal(wait));
});
