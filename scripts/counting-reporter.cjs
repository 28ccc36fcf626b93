// Mocha's spec reporter, which also leaves its figures, what failed and why, and how long each file's tests and hooks took,
// where scripts/test.mjs can add them up.
const { writeFileSync } = require('node:fs');
const { relative } = require('node:path');
const { reporters, Runner } = require('mocha');

class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failures = [];
    const tookMs = {};
    const add = ({ file, duration = 0 }) => {
      if (file === undefined) return;
      const name = relative(process.cwd(), file);
      tookMs[name] = (tookMs[name] ?? 0) + duration;
    };
    runner.on(Runner.constants.EVENT_TEST_END, add);
    runner.on(Runner.constants.EVENT_HOOK_END, (hook) =>
      add({ file: hook.file ?? hook.parent?.file, duration: hook.duration }),
    );
    runner.on(Runner.constants.EVENT_TEST_FAIL, (test, error) => {
      failures.push({ title: test.titlePath().join(' › '), reason: String(error?.stack ?? error) });
    });
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const file = process.env.SWARMGATE_TEST_RESULT;
      if (!file) return;
      const { passes, failures: failed, pending } = this.stats;
      writeFileSync(file, JSON.stringify({ passed: passes, failed, pending, failures, tookMs }));
    });
  }
}

module.exports = CountingReporter;
