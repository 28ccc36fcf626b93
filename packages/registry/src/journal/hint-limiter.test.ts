import { expect } from 'chai';
import { HintLimiter } from './hint-limiter.ts';

describe('reads for hints that the journal moved', () => {
  /** Times of the reads within that time, in milliseconds, when there is always a hint. */
  function readsWithin(limiter: HintLimiter, fromMs: number, toMs: number, isTrue: boolean): number[] {
    const reads: number[] = [];
    for (let nowMs = fromMs; nowMs < toMs; nowMs += 1)
      if (limiter.restMs(nowMs) === 0) {
        reads.push(nowMs);
        limiter.readBegins(nowMs);
        limiter.wasRead(isTrue);
      }
    return reads;
  }

  it('begin at once', () => {
    expect(new HintLimiter().restMs(0)).to.equal(0);
  });

  it('are 20 ms apart while the hints are true', () => {
    const reads = readsWithin(new HintLimiter(), 0, 100, true);
    expect(reads).to.deep.equal([0, 20, 40, 60, 80]);
  });

  it('are up to 10 s apart where the hints are false', () => {
    const reads = readsWithin(new HintLimiter(), 0, 60_000, false);
    expect(reads.slice(0, 4)).to.deep.equal([0, 40, 120, 280]);
    const last = reads.slice(-3) as [number, number, number];
    expect([last[1] - last[0], last[2] - last[1]]).to.deep.equal([10_000, 10_000]);
  });

  it('are 20 ms apart again after a true hint', () => {
    const limiter = new HintLimiter();
    readsWithin(limiter, 0, 60_000, false);
    expect(readsWithin(limiter, 80_000, 80_050, true)).to.deep.equal([80_000, 80_020, 80_040]);
  });
});
