export { sendEndlessly } from './endless-body.ts';
export { fuzzRuns } from './fuzz-runs.ts';
export { type UntilOptions, until } from './until.ts';
