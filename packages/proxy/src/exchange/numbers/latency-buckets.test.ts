import { expect } from 'chai';
import fc from 'fast-check';
import { bucketCount, bucketOf, latencyOf, quantilesOf } from './latency-buckets.ts';

const shares = [0.01, 0.5, 0.9, 0.99, 0.999, 1];

/** By the nearest rank, from all values. */
function exactQuantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] as number;
}

function histogramOf(values: readonly number[]): number[] {
  const histogram = new Array<number>(bucketCount).fill(0);
  for (const value of values) histogram[bucketOf(value)] = (histogram[bucketOf(value)] as number) + 1;
  return histogram;
}

function quantilesFrom(histogram: readonly number[]): readonly (number | undefined)[] {
  const hit = histogram.flatMap((count, bucket) => (count > 0 ? [{ bucket, count }] : []));
  return quantilesOf(
    hit.map(({ bucket }) => bucket),
    hit.map(({ count }) => count),
    shares,
  );
}

/** Evenly over the powers of ten, as latencies are, with edges of buckets among them. */
const latency = fc.oneof(
  fc.double({ min: Math.log10(0.25), max: Math.log10(65_535), noNaN: true }).map((exponent) => 10 ** exponent),
  fc.integer({ min: 1, max: 65_535 }),
  fc.constantFrom(0.25, 0.5, 1, 1.09375, 2, 1_024, 65_535.9),
);

describe('latency buckets', () => {
  it('fit into 0.6 KB with counts of 32 bits', () => {
    expect(bucketCount * 4).to.be.at.most(600);
  });

  it('give every quantile to 5 %, whatever the latencies', () => {
    fc.assert(
      fc.property(fc.array(latency, { minLength: 1, maxLength: 400 }), (values) => {
        const found = quantilesFrom(histogramOf(values));
        for (const [at, share] of shares.entries()) {
          const exact = exactQuantile(values, share);
          expect(Math.abs((found[at] as number) / exact - 1), `${share} of ${values.length}`).to.be.at.most(0.05);
        }
      }),
      { seed: 16, numRuns: 500 },
    );
  });

  it('merge by addition: parts of a series come to what the whole series comes to', () => {
    fc.assert(
      fc.property(fc.array(fc.array(latency, { maxLength: 100 }), { minLength: 1, maxLength: 5 }), (parts) => {
        const sum = new Array<number>(bucketCount).fill(0);
        for (const part of parts)
          for (const [at, count] of histogramOf(part).entries()) sum[at] = (sum[at] as number) + count;
        expect(sum).to.deep.equal(histogramOf(parts.flat()));
        expect(quantilesFrom(sum)).to.deep.equal(quantilesFrom(histogramOf(parts.flat())));
      }),
      { seed: 16, numRuns: 200 },
    );
  });

  it('keep the order of latencies', () => {
    fc.assert(
      fc.property(latency, latency, (a, b) => bucketOf(Math.min(a, b)) <= bucketOf(Math.max(a, b))),
      { seed: 16, numRuns: 1_000 },
    );
  });

  const outside = [
    [Number.NaN, 0],
    [-1, 0],
    [0, 0],
    [0.249, 0],
    [65_536, bucketCount - 1],
    [3_600_000, bucketCount - 1],
    [Number.POSITIVE_INFINITY, bucketCount - 1],
  ] as const;
  for (const [ms, bucket] of outside)
    it(`count ${ms} ms in bucket ${bucket}`, () => expect(bucketOf(ms)).to.equal(bucket));

  it('put the latency that stands for a bucket into that bucket', () => {
    for (let bucket = 0; bucket < bucketCount; bucket += 1) expect(bucketOf(latencyOf(bucket))).to.equal(bucket);
  });

  it('have no quantile without a latency', () => {
    expect(quantilesOf([], [], [0.5, 0.99])).to.deep.equal([undefined, undefined]);
  });
});
