// Mocha's spec reporter, which also leaves its figures, and what failed and why, where scripts/test.mjs can add them up.
const { writeFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failures = [];
    runner.on(Runner.constants.EVENT_TEST_FAIL, (test, error) => {
      failures.push({ title: test.titlePath().join(' › '), reason: String(error?.stack ?? error) });
    });
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const file = process.env.SWARMGATE_TEST_RESULT;
      if (!file) return;
      const { passes, failures: failed, pending } = this.stats;
      writeFileSync(file, JSON.stringify({ passed: passes, failed, pending, failures }));
    });
  }
}

module.exports = CountingReporter;
