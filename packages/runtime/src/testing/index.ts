export { fuzzRuns } from './fuzz-runs.ts';
export { type UntilOptions, until } from './until.ts';
