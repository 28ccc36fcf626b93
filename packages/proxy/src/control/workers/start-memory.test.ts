import { expect } from 'chai';
import { StartMemory } from './start-memory.ts';

const owner = {
  onFault(error: unknown) {
    throw error;
  },
};

describe('memory of the start', () => {
  const cases = [
    ['a large table is there when the workers serve', [['opened', 10_000]], 1],
    [
      'a large table comes later',
      [
        ['opened', 0],
        ['applied', 10_000],
      ],
      1,
    ],
    [
      'one large table comes after the other',
      [
        ['opened', 5_000],
        ['applied', 10_000],
      ],
      1,
    ],
    [
      'the tables are small',
      [
        ['opened', 10],
        ['applied', 20],
      ],
      0,
    ],
    ['no worker serves yet', [['applied', 10_000]], 0],
  ] as const;
  for (const [what, steps, times] of cases)
    it(`is given back ${times === 1 ? 'once' : 'never'}: ${what}`, () => {
      let released = 0;
      const waiting: (() => void)[] = [];
      const release = () => {
        released += 1;
      };
      const memory = new StartMemory(owner, release, (later) => waiting.push(later));
      for (const [step, services] of steps) memory[step](services);
      expect(released, 'not while the first clients are served').to.equal(0);
      for (const later of waiting) later();
      expect(released).to.equal(times);
    });

  it('is collected by V8 itself', () => {
    const heap = () => process.memoryUsage().heapUsed;
    const release = () => new StartMemory(owner, undefined, (later) => later()).opened(10_000);
    // What other tests left behind would be collected while garbage is made here.
    release();
    const before = heap();
    let garbage = Array.from({ length: 200_000 }, (_, at) => ({ at }));
    const withGarbage = heap();
    expect(withGarbage).to.be.above(before + 5_000_000);
    garbage = [];
    release();
    expect(garbage).to.deep.equal([]);
    expect(heap()).to.be.below(withGarbage - 5_000_000);
  });
});
