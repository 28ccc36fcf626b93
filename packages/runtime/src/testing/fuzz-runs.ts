/**
 * How a property is tried: `numRuns` cases of a fixed seed, so that a test run is the same each time. `npm run fuzz` sets
 * `FUZZ_SEED`, which takes the place of the seed, and `FUZZ_FACTOR`, which multiplies the cases.
 */
export function fuzzRuns(numRuns: number, seed: number): { readonly numRuns: number; readonly seed: number } {
  const { FUZZ_SEED, FUZZ_FACTOR } = process.env;
  return {
    numRuns: numRuns * Math.max(1, Number(FUZZ_FACTOR ?? 1)),
    seed: FUZZ_SEED === undefined ? seed : Number(FUZZ_SEED),
  };
}
