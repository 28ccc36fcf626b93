import { expect } from 'chai';
import fc from 'fast-check';
import { CountingTable } from './counting-table.ts';

describe('a counting table', () => {
  it('counts as a map does', () => {
    const key = fc.oneof(fc.nat(500), fc.integer({ min: 0, max: 2 ** 32 - 2 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.nat(1_000)), { maxLength: 2_000 }), (counted) => {
        const table = new CountingTable();
        const map = new Map<number, number>();
        for (const [each, count] of counted) {
          table.add(each, count);
          map.set(each, (map.get(each) ?? 0) + count);
        }
        expect(table.size).to.equal(map.size);
        expect([...table.sortedKeys()]).to.deep.equal([...map.keys()].sort((a, b) => a - b));
        for (const [each, count] of map) expect(table.get(each)).to.equal(count);
        expect(table.get(2 ** 32 - 2)).to.equal(map.get(2 ** 32 - 2) ?? 0);
      }),
      { seed: 16, numRuns: 100 },
    );
  });
});
