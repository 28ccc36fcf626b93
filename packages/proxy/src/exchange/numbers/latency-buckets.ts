/**
 * Log-linear buckets for latencies: eight in each power of two, from 0.25 ms to 65.5 s. `latencyOf` is off by at most 5 % in
 * that range, so a quantile read from counts is, too. Histograms with these buckets merge by adding their counts.
 *
 * A whole histogram is 146 counts of 32 bits, 584 bytes; what is kept of a service are only the buckets that were hit.
 */

const leastMs = 0.25;
const leastExponent = -2;
const octaves = 18;
const mostMs = leastMs * 2 ** octaves;

/** Edges within a power of two, in 32nds above it, as wide as 5 % allows: (35 - 32) / (35 + 32) = 4.5 %, and so on. */
const edges = [0, 3, 6, 10, 14, 18, 23, 28, 32] as const;
const perOctave = edges.length - 1;

/** Buckets have the numbers from 0 to `bucketCount - 1`. The first is below the range, the last above it. */
export const bucketCount = octaves * perOctave + 2;

/** Which of the eight buckets a mantissa's first five bits fall into. */
const stepOf = Uint8Array.from({ length: 32 }, (_, bits) => edges.findLastIndex((edge) => edge <= bits));

// Both views have the same width, so the order of bytes does not matter.
const asFloat = new Float32Array(1);
const asBits = new Uint32Array(asFloat.buffer);

/** The bucket of a duration in milliseconds. Negative ones and NaN are in the first. */
export function bucketOf(ms: number): number {
  if (!(ms >= leastMs)) return 0;
  if (ms >= mostMs) return bucketCount - 1;
  asFloat[0] = ms;
  const bits = asBits[0] as number;
  const exponent = (bits >>> 23) - 127 - leastExponent;
  const step = stepOf[(bits >>> 18) & 31] as number;
  return 1 + exponent * perOctave + step;
}

/**
 * The latency that stands for a bucket, in milliseconds: the harmonic mean of its edges, which is equally far from both in
 * proportion. 0.125 for everything below the range, 65,536 for everything above it.
 */
export function latencyOf(bucket: number): number {
  return representatives[bucket] as number;
}

const representatives = Float64Array.from({ length: bucketCount }, (_, bucket) => {
  if (bucket === 0) return leastMs / 2;
  if (bucket === bucketCount - 1) return mostMs;
  const base = leastMs * 2 ** Math.floor((bucket - 1) / perOctave);
  const step = (bucket - 1) % perOctave;
  const lower = base * (1 + (edges[step] as number) / 32);
  const upper = base * (1 + (edges[step + 1] as number) / 32);
  return (2 * lower * upper) / (lower + upper);
});

/**
 * Latencies of the given shares, by the nearest rank: the share 0.99 of 1,000 is the 990th smallest.
 * @param buckets in ascending order, each with its count in `counts`
 * @param shares in ascending order, above 0 and at most 1
 * @returns milliseconds; `undefined` where nothing was counted
 */
export function quantilesOf(
  buckets: readonly number[],
  counts: readonly number[],
  shares: readonly number[],
): readonly (number | undefined)[] {
  let total = 0;
  for (const count of counts) total += count;
  if (total === 0) return shares.map(() => undefined);
  const found: number[] = [];
  let at = 0;
  let passed = counts[0] as number;
  for (const share of shares) {
    const rank = Math.max(1, Math.ceil(share * total));
    while (passed < rank && at < buckets.length - 1) {
      at += 1;
      passed += counts[at] as number;
    }
    found.push(latencyOf(buckets[at] as number));
  }
  return found;
}
