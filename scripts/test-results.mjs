// Adds up what the parts of `npm test` counted. A file of which something failed is run a second time, alone, after all others:
// the suites share two cores, and a race that only load brings about should be reported as what it is. What passes then is
// printed as UNSTABLE with the reason of its first failure, and counts as passed.

/** With more than these the fault is hardly that of a race: nothing is run again. Some hundred files run on a loaded machine. */
export const mostFilesAgain = 8;

/**
 * @typedef {{ passed: number, failed: number, tookMs: number }} FileResult
 * @typedef {{ file?: string, title: string, reason: string }} Failure
 * @typedef {{ passed: number, failed: number, failures: readonly Failure[], files: Readonly<Record<string, FileResult>> }} Result
 * @typedef {{ suite: string, title: string, files?: readonly string[] }} Part
 */
export class TestResults {
  passed = 0;
  failed = 0;
  /** @type {{ part?: Part, file?: string, title: string, reason: string }[]} */
  failures = [];
  /** @type {{ title: string, reason: string }[]} */
  unstable = [];
  /** @type {{ file: string, tookMs: number }[]} */
  took = [];
  /** @type {Map<string, Result>} by the part's title */
  #results = new Map();

  /** One more that passed or failed as a whole, such as the types, or a part that ended without a result. */
  count(title, passed, reason = 'see its part above') {
    if (passed) this.passed += 1;
    else {
      this.failed += 1;
      this.failures.push({ title, reason });
    }
  }

  /** @param {Part} part @param {Result} result */
  add(part, result) {
    this.#results.set(part.title, result);
    this.passed += result.passed;
    this.failed += result.failed;
    for (const [file, { tookMs }] of Object.entries(result.files)) this.took.push({ file, tookMs });
    for (const { file, title, reason } of result.failures)
      this.failures.push({ part, file, title: `${part.title}: ${title}`, reason });
  }

  /**
   * The files to run again, each as a part of its own; a whole part where what failed stands in no file. Unit tests are not:
   * they wait for nothing outside their process.
   * @returns {readonly { part: Part, file?: string, again: Part }[]}
   */
  toRunAgain() {
    const chosen = new Map();
    for (const { part, file } of this.failures) {
      if (part === undefined || part.suite === 'unit') continue;
      const title = `${part.title}: again, ${file ?? 'whole'}`;
      chosen.set(title, {
        part,
        file,
        again: { suite: part.suite, title, files: file === undefined ? part.files : [file] },
      });
    }
    return chosen.size > mostFilesAgain ? [] : [...chosen.values()];
  }

  /** @param {{ part: Part, file?: string }} what @param {Result | undefined} result `undefined`: it did not run to its end */
  addAgain({ part, file }, result) {
    if (result === undefined || result.failed > 0 || result.passed === 0) return;
    const whole = this.#results.get(part.title);
    const first = file === undefined ? whole : whole?.files[file];
    if (first === undefined) return;
    this.passed += result.passed - first.passed;
    this.failed -= first.failed;
    const isOfIt = (failure) => failure.part === part && (file === undefined || failure.file === file);
    this.unstable.push(...this.failures.filter(isOfIt));
    this.failures = this.failures.filter((failure) => !isOfIt(failure));
  }
}
