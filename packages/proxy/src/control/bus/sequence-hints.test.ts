import { expect } from 'chai';
import { SequenceHints } from './sequence-hints.ts';

describe('hints for the follower of the journal', () => {
  it('reach it while it listens', () => {
    const hints = new SequenceHints();
    const received: number[] = [];
    const leave = hints.subscribe((sequence) => received.push(sequence));
    hints.tell(1);
    leave();
    hints.tell(2);
    expect(received).to.deep.equal([1]);
  });

  it('that came while nothing listened are not lost: the last one is reported to the next listener', () => {
    const hints = new SequenceHints();
    hints.tell(1);
    hints.tell(2);
    const received: number[] = [];
    hints.subscribe((sequence) => received.push(sequence));
    hints.tell(3);
    expect(received).to.deep.equal([2, 3]);
  });
});
