import { expect } from 'chai';
import { HandOverProgress } from './hand-over-progress.ts';

describe('the progress of connections that are handed over', () => {
  let nowMs = 0;
  const started = (count: number) => {
    nowMs = 0;
    const progress = new HandOverProgress(() => nowMs);
    for (let at = 0; at < count; at += 1) progress.began();
    return progress;
  };

  it('is stuck only once the first of those that wait has waited for more than 20 ms', () => {
    const progress = started(1);
    nowMs = 20;
    progress.began();
    expect(progress.isStuck).to.equal(false);
    nowMs = 21;
    expect(progress.isStuck).to.equal(true);
  });

  it('is none as long as one after the other leaves, however many wait', () => {
    const progress = started(5);
    for (let at = 0; at < 4; at += 1) {
      nowMs += 15;
      progress.left();
      expect(progress.isStuck).to.equal(false);
    }
  });

  it('goes on when the last has left', () => {
    const progress = started(1);
    nowMs = 100;
    progress.left();
    nowMs = 1_000;
    expect(progress.isStuck).to.equal(false);
    progress.began();
    expect(progress.isStuck).to.equal(false);
  });
});
