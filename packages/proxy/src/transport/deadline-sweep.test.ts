import { expect } from 'chai';
import { DeadlineSweep, type Timed } from './deadline-sweep.ts';

describe('the deadline sweep', () => {
  const timed = (deadlineMs: number) => {
    const fired: number[] = [];
    const each: Timed = {
      deadlineMs,
      sweepPlace: -1,
      onDeadline: () => fired.push(0),
      onFault: (error) => {
        throw error;
      },
    };
    return { each, fired };
  };

  it('is never early and at most one tick late', () => {
    let nowMs = 0;
    const sweep = new DeadlineSweep(10, () => nowMs);
    const { each, fired } = timed(sweep.in(100));
    sweep.add(each);
    for (nowMs = 10; nowMs < 100; nowMs += 10) sweep.tick();
    expect(fired).to.have.length(0);
    for (; nowMs <= 110; nowMs += 10) sweep.tick();
    expect(fired).to.have.length.greaterThan(0);
    sweep.remove(each);
  });

  it('counts from the clock, however long ago its last tick was', () => {
    let nowMs = 0;
    const sweep = new DeadlineSweep(10, () => nowMs);
    nowMs = 60_000;
    const { each, fired } = timed(sweep.in(100));
    sweep.add(each);
    for (; nowMs < 60_100; nowMs += 10) sweep.tick();
    expect(fired).to.have.length(0);
    sweep.remove(each);
  });

  it('applies no deadline right after a stall of its own process', () => {
    let nowMs = 0;
    const sweep = new DeadlineSweep(10, () => nowMs);
    const { each, fired } = timed(sweep.in(100));
    sweep.add(each);
    nowMs = 5_000;
    sweep.tick();
    expect(fired).to.have.length(0);
    sweep.tick();
    expect(fired).to.have.length(1);
    sweep.remove(each);
  });

  it('leaves alone who was removed, or moved its deadline', () => {
    let nowMs = 0;
    const sweep = new DeadlineSweep(10, () => nowMs);
    const gone = timed(sweep.in(5));
    const moved = timed(sweep.in(5));
    sweep.add(gone.each);
    sweep.add(moved.each);
    sweep.remove(gone.each);
    moved.each.deadlineMs = Number.POSITIVE_INFINITY;
    for (nowMs = 10; nowMs <= 100; nowMs += 10) sweep.tick();
    expect(gone.fired.length + moved.fired.length).to.equal(0);
    sweep.remove(moved.each);
  });

  it('watches the right ones, whatever comes and goes', () => {
    let nowMs = 0;
    const sweep = new DeadlineSweep(10, () => nowMs);
    const all = Array.from({ length: 20 }, () => timed(sweep.in(5)));
    for (const { each } of all) sweep.add(each);
    // Twice is once.
    for (const { each } of all) sweep.add(each);
    const gone = new Set([0, 3, 7, 18, 19]);
    for (const at of gone) sweep.remove(all[at]?.each as Timed);
    sweep.remove(all[3]?.each as Timed);
    expect(sweep.size).to.equal(15);
    nowMs = 10;
    sweep.tick();
    expect(all.map(({ fired }) => fired.length)).to.deep.equal(all.map((_, at) => (gone.has(at) ? 0 : 1)));
    for (const { each } of all) sweep.remove(each);
    expect(sweep.size).to.equal(0);
  });

  it('leaves alone what an earlier deadline of the same tick has ended', () => {
    let nowMs = 0;
    const sweep = new DeadlineSweep(10, () => nowMs);
    const [first, second] = [timed(sweep.in(5)), timed(sweep.in(5))];
    for (const [one, other] of [
      [first, second],
      [second, first],
    ] as const)
      one.each.onDeadline = () => {
        one.fired.push(0);
        sweep.remove(other.each);
      };
    sweep.add(first.each);
    sweep.add(second.each);
    nowMs = 10;
    sweep.tick();
    expect(first.fired.length + second.fired.length).to.equal(1);
    sweep.remove(first.each);
    sweep.remove(second.each);
  });
});
