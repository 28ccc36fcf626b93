import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { Http2Stream, type StreamHost } from './stream.ts';
import { StreamTable } from './stream-table.ts';

const host = { sender: { initialStreamWindow: 0 } } as StreamHost;

describe('the table of open streams', () => {
  it('finds what a Map finds, whatever comes and goes', () => {
    const step = fc.record({ adds: fc.boolean(), pick: fc.nat(), skip: fc.integer({ min: 1, max: 40 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const table = new StreamTable();
        const reference = new Map<number, Http2Stream>();
        let next = 1;
        for (const { adds, pick, skip } of steps) {
          if (adds || reference.size === 0) {
            const stream = new Http2Stream(next, host);
            // Identifiers may be left out (RFC 9113, section 5.1.1).
            next += 2 * skip;
            table.add(stream);
            reference.set(stream.id, stream);
          } else {
            const id = [...reference.keys()][pick % reference.size] as number;
            table.delete(id);
            table.delete(id);
            reference.delete(id);
          }
          expect(table.size).to.equal(reference.size);
          expect(table.list()).to.deep.equal([...reference.values()]);
          for (let id = 1; id < next + 2; id += 2) expect(table.get(id)).to.equal(reference.get(id));
        }
      }),
      fuzzRuns(60, 20_261_128),
    );
  });
});
