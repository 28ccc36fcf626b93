// Mocha's spec reporter, which also leaves its figures, what failed and why, and how long each file's tests and hooks took,
// where scripts/test.mjs can add them up.
const { writeFileSync } = require('node:fs');
const { relative } = require('node:path');
const { reporters, Runner } = require('mocha');

class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failures = [];
    const files = {};
    // A hook of the whole run stands in no file.
    const add = (runnable, key, amount) => {
      const file = runnable.file ?? runnable.parent?.file;
      if (file === undefined || file === null) return undefined;
      const name = relative(process.cwd(), file);
      files[name] ??= { passed: 0, failed: 0, tookMs: 0 };
      files[name][key] += amount;
      return name;
    };
    const addTime = (runnable) => add(runnable, 'tookMs', runnable.duration ?? 0);
    runner.on(Runner.constants.EVENT_TEST_END, addTime);
    runner.on(Runner.constants.EVENT_HOOK_END, addTime);
    runner.on(Runner.constants.EVENT_TEST_PASS, (test) => add(test, 'passed', 1));
    runner.on(Runner.constants.EVENT_TEST_FAIL, (test, error) => {
      const file = add(test, 'failed', 1);
      failures.push({ file, title: test.titlePath().join(' › '), reason: String(error?.stack ?? error) });
    });
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const file = process.env.SWARMGATE_TEST_RESULT;
      if (!file) return;
      const { passes, failures: failed } = this.stats;
      writeFileSync(file, JSON.stringify({ passed: passes, failed, failures, files }));
    });
  }
}

module.exports = CountingReporter;
