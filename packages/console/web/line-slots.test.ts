import { expect } from 'chai';
import { LineSlots } from './line-slots.ts';

describe('the lines of the list', () => {
  for (const [title, before, after, focused, expected] of [
    ['stay where they were while they are in sight', 'abc', 'bcd', undefined, [1, 2, 0]],
    ['are those that were there, where a filter leaves none of them', 'abc', 'xyz', undefined, [0, 1, 2]],
    ['are new where more are in sight', 'ab', 'abc', undefined, [0, 1, 2]],
    ['stay where they were when the order changes', 'abc', 'cab', undefined, [2, 0, 1]],
    ['show no other service where the focus is in one', 'abc', 'bcd', 'a', [1, 2, 3]],
    ['are reused where the focus is in one that stays', 'abc', 'bcd', 'b', [1, 2, 0]],
    ['are none without a service', 'abc', '', undefined, []],
  ] as const)
    it(title, () => {
      const slots = new LineSlots();
      slots.assign([...before], undefined);
      expect(slots.assign([...after], focused)).to.deep.equal(expected);
    });

  it('are as many as were in sight at once, however far the list is scrolled', () => {
    const slots = new LineSlots();
    const seen = new Set<number>();
    for (let first = 0; first < 1_000; first += 7)
      for (const slot of slots.assign(
        Array.from({ length: 20 }, (_, at) => `service-${first + at}`),
        undefined,
      ))
        seen.add(slot);
    expect(seen.size).to.equal(20);
  });
});
