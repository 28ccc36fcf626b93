import { expect } from 'chai';
import { SequenceHints } from './sequence-hints.ts';

describe('hints for the follower of the journal', () => {
  it('reach it while it listens', () => {
    const hints = new SequenceHints();
    const received: number[] = [];
    const leave = hints.subscribe((sequence) => received.push(sequence));
    hints.publish(1);
    leave();
    hints.publish(2);
    expect(received).to.deep.equal([1]);
  });

  it('that came while nothing listened are not lost: the last one is reported to the next listener', () => {
    const hints = new SequenceHints();
    hints.publish(1);
    hints.publish(2);
    const received: number[] = [];
    hints.subscribe((sequence) => received.push(sequence));
    hints.publish(3);
    expect(received).to.deep.equal([2, 3]);
  });
});
