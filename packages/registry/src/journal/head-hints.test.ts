import { expect } from 'chai';
import { HintJudge } from './head-hints.ts';

describe('hints that the journal moved', () => {
  it('are worth a look where they say more than is known', () => {
    const judge = new HintJudge();
    expect(judge.mayLook(5, 5, 0)).to.equal(false);
    expect(judge.mayLook(4, 5, 0)).to.equal(false);
    expect(judge.mayLook(6, 5, 0)).to.equal(true);
  });

  it('are looked into every 20 ms while they are true', () => {
    const judge = new HintJudge();
    let looks = 0;
    for (let nowMs = 0; nowMs < 1_000; nowMs += 1)
      if (judge.mayLook(nowMs + 1, nowMs, nowMs)) {
        looks += 1;
        judge.looked(true);
      }
    expect(looks).to.equal(50);
  });

  it('of a liar cost a handful of looks a minute, and a true one makes up for it', () => {
    const judge = new HintJudge();
    let looks = 0;
    for (let nowMs = 0; nowMs < 60_000; nowMs += 1)
      if (judge.mayLook(1_000_000_000, 5, nowMs)) {
        looks += 1;
        judge.looked(false);
      }
    expect(looks).to.be.within(9, 15);
    expect(judge.mayLook(6, 5, 80_000)).to.equal(true);
    judge.looked(true);
    expect(judge.mayLook(7, 6, 90_000)).to.equal(true);
    expect(judge.mayLook(8, 7, 90_020)).to.equal(true);
  });
});
