/**
 * Registers tests that wait most of their time: all of them begin before the first one and go on at once; each reports its own
 * outcome. They must share nothing that one of them changes.
 */
export function itSideBySide(tests: readonly (readonly [title: string, run: () => Promise<void>])[]): void {
  const outcomes = new Map<string, Promise<void>>();
  before(() => {
    for (const [title, run] of tests) {
      const outcome = run();
      // The test that awaits it reports it; until then it is not unhandled.
      outcome.catch(() => undefined);
      outcomes.set(title, outcome);
    }
  });
  for (const [title] of tests) it(title, () => outcomes.get(title));
}
