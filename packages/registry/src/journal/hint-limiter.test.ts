import { expect } from 'chai';
import { HintLimiter } from './hint-limiter.ts';

describe('hints that the journal moved', () => {
  it('cause a read where they say more than is known', () => {
    const limiter = new HintLimiter();
    expect(limiter.mayRead(5, 5, 0)).to.equal(false);
    expect(limiter.mayRead(4, 5, 0)).to.equal(false);
    expect(limiter.mayRead(6, 5, 0)).to.equal(true);
  });

  it('cause a read every 20 ms while they are true', () => {
    const limiter = new HintLimiter();
    let reads = 0;
    for (let nowMs = 0; nowMs < 1_000; nowMs += 1)
      if (limiter.mayRead(nowMs + 1, nowMs, nowMs)) {
        reads += 1;
        limiter.wasRead(true);
      }
    expect(reads).to.equal(50);
  });

  it('that are false cost a few reads a minute, and a true one restores the rate', () => {
    const limiter = new HintLimiter();
    let reads = 0;
    for (let nowMs = 0; nowMs < 60_000; nowMs += 1)
      if (limiter.mayRead(1_000_000_000, 5, nowMs)) {
        reads += 1;
        limiter.wasRead(false);
      }
    expect(reads).to.be.within(9, 15);
    expect(limiter.mayRead(6, 5, 80_000)).to.equal(true);
    limiter.wasRead(true);
    expect(limiter.mayRead(7, 6, 90_000)).to.equal(true);
    expect(limiter.mayRead(8, 7, 90_020)).to.equal(true);
  });
});
