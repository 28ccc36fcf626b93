/** Memory in use at one time. */
export interface Sample {
  /** Since the start. */
  readonly atMs: number;
  /** Heap of the process, in bytes. */
  readonly process: number;
  readonly rss: number;
  /** Heap of the page, in bytes. */
  readonly page: number;
  readonly nodes: number;
}

/** The middle value in the second fifth of the samples, and in the last: a single sample says little. */
export function growthOf(
  samples: readonly Sample[],
  of: 'process' | 'page',
): { readonly early: number; readonly late: number } {
  const fifth = Math.max(1, Math.floor(samples.length / 5));
  return {
    early: median(samples.slice(fifth, 2 * fifth).map((sample) => sample[of])),
    late: median(samples.slice(-fifth).map((sample) => sample[of])),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}
