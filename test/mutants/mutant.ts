/** A small fault in one file, and the test files that must turn red by it. Paths are relative to the repository's root. */
export interface Mutant {
  /** What would be wrong, as a user would meet it. */
  readonly fault: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly plant: string;
  readonly tests: readonly string[];
}

/** Faults in one file, all caught by the same tests. */
export function faultsIn(
  file: string,
  tests: readonly string[],
  faults: readonly (readonly [fault: string, find: string, plant: string])[],
): readonly Mutant[] {
  return faults.map(([fault, find, plant]) => ({ fault, file, find, plant, tests }));
}
