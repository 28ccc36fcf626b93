import { expect } from 'chai';
import { certificateProblems } from './certificate-problems.ts';

describe('problems of certificates', () => {
  const reported = (notice: object) =>
    certificateProblems(
      { documents: new Map([['notices/clock-ca', JSON.stringify(notice)]]), responses: [] },
      [],
      (id) => id,
      0,
    );

  it('report a clock that is more than a day off, and which way', () => {
    const notice = { version: 1, kind: 'clock-off', issuer: 'ca', aheadMs: 48 * 3_600_000, atMs: 0 };
    const [ahead] = reported(notice).get('env/acme') ?? [];
    expect(ahead).to.include({ reason: 'acme-clock-off' });
    expect(ahead?.message).to.include('is 48 h behind that of ca');
    const [behind] = reported({ ...notice, aheadMs: -notice.aheadMs }).get('env/acme') ?? [];
    expect(behind?.message).to.include('is 48 h ahead of that of ca');
  });

  it('report no notice of another kind', () => {
    expect(reported({ version: 1, kind: 'other' }).size).to.equal(0);
  });
});
