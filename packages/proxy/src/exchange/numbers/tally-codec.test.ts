import { expect } from 'chai';
import fc from 'fast-check';
import { bucketCount } from './latency-buckets.ts';
import { cellOfStatus, type RowVisitor, retriesCell, Tally, TallyRow } from './tally.ts';
import { encodeTally, forEachRow } from './tally-codec.ts';

const count = fc.oneof(fc.nat(3), fc.nat(2 ** 31 - 1), fc.constantFrom(127, 128, 2 ** 32, 2 ** 40, 2 ** 53 - 1));
const row = fc.record({
  id: fc.oneof(fc.nat(300), fc.nat(100_000)),
  status: fc.constantFrom(0, 101, 200, 304, 404, 503),
  bytes: count,
  reason: fc.constantFrom('no-endpoint', 'größer als nötig', 'head-timeout', ''),
  buckets: fc.array(fc.tuple(fc.nat(bucketCount - 1), fc.integer({ min: 1, max: 2 ** 40 })), { maxLength: 20 }),
});

function tallyOf(rows: readonly (typeof row extends fc.Arbitrary<infer T> ? T : never)[]): Tally {
  const tally = new Tally();
  for (const { id, status, bytes, reason, buckets } of rows) {
    const counted = new TallyRow();
    counted.sentBytes = bytes;
    if (reason !== '') counted.countReason(reason);
    const cells = [cellOfStatus(status), retriesCell, ...buckets.map(([bucket]) => bucket)];
    tally.add(id, counted, cells, [1, 2, ...buckets.map(([, times]) => times)]);
  }
  return tally;
}

function addTo(sum: Tally): RowVisitor {
  return (...its) => {
    sum.add(...its);
  };
}

function contentOf(tally: Tally | Uint8Array): unknown[] {
  const rows: unknown[] = [];
  const visit = (id: number, counted: object, buckets: readonly number[], counts: readonly number[]) =>
    rows.push({ id, ...counted, buckets: [...buckets], counts: [...counts] });
  if (tally instanceof Tally) tally.forEach(visit);
  else forEachRow(tally, visit);
  return rows;
}

describe('a tally as bytes', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 30 }), (rows) => {
        const tally = tallyOf(rows);
        expect(contentOf(encodeTally(tally))).to.deep.equal(contentOf(tally));
      }),
      { seed: 16, numRuns: 300 },
    );
  });

  it('adds up as the tallies do', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 15 }), fc.array(row, { maxLength: 15 }), (one, other) => {
        const sum = tallyOf(one);
        forEachRow(encodeTally(tallyOf(other)), addTo(sum));
        const expected = new Tally();
        tallyOf(one).forEach(addTo(expected));
        tallyOf(other).forEach(addTo(expected));
        expect(contentOf(sum)).to.deep.equal(contentOf(expected));
      }),
      { seed: 16, numRuns: 200 },
    );
  });

  it('takes at most 30 bytes for an endpoint with some requests in five buckets', () => {
    const tally = new Tally();
    const row = Object.assign(new TallyRow(), { sentBytes: 1_234_567, receivedBytes: 45_678 });
    const cells = [20, 21, 22, 23, 24, cellOfStatus(200), cellOfStatus(404)];
    for (let id = 0; id < 1_000; id += 1) tally.add(id, row, cells, [18, 18, 18, 18, 18, 88, 2]);
    expect(encodeTally(tally).length / 1_000).to.be.at.most(30);
  });
});
