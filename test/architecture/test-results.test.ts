import { expect } from 'chai';
import { mostFilesAgain, TestResults } from '../../scripts/test-results.mjs';

const part = { suite: 'integration', title: 'integration, alone', files: ['a.test.ts', 'b.test.ts'] };
const fileOf = (passed: number, failed: number) => ({ passed, failed, tookMs: 1 });
const failureIn = (file?: string) => ({ file, title: `of ${file}`, reason: 'a race' });

/** Two files, of which `b.test.ts` has one test that failed. */
function afterOneFailure(): TestResults {
  const results = new TestResults();
  const files = { 'a.test.ts': fileOf(3, 0), 'b.test.ts': fileOf(4, 1) };
  results.add(part, { passed: 7, failed: 1, failures: [failureIn('b.test.ts')], files });
  return results;
}

function figuresOf({ passed, failed, failures, unstable }: TestResults) {
  return { passed, failed, failures: failures.map(({ title }) => title), unstable: unstable.map(({ title }) => title) };
}

describe('results of a test run', () => {
  it('name the file of a failure to run it again', () => {
    const [first, ...others] = afterOneFailure().toRunAgain();
    expect(first?.again)
      .to.include({ suite: 'integration' })
      .and.to.deep.include({ files: ['b.test.ts'] });
    expect(others).to.deep.equal([]);
  });

  it('report a file that passes then as unstable, and count its tests once', () => {
    const results = afterOneFailure();
    for (const what of results.toRunAgain())
      results.addAgain(what, { passed: 5, failed: 0, failures: [], files: { 'b.test.ts': fileOf(5, 0) } });
    expect(figuresOf(results)).to.deep.equal({
      passed: 8,
      failed: 0,
      failures: [],
      unstable: ['integration, alone: of b.test.ts'],
    });
  });

  for (const [what, result] of [
    ['fails again', { passed: 4, failed: 1, failures: [failureIn('b.test.ts')], files: { 'b.test.ts': fileOf(4, 1) } }],
    ['fails in another test', { passed: 4, failed: 1, failures: [failureIn('b.test.ts')], files: {} }],
    ['runs no test', { passed: 0, failed: 0, failures: [], files: {} }],
    ['does not run to its end', undefined],
  ] as const)
    it(`keep the failure where the file ${what}`, () => {
      const results = afterOneFailure();
      for (const again of results.toRunAgain()) results.addAgain(again, result);
      expect(figuresOf(results)).to.deep.equal({
        passed: 7,
        failed: 1,
        failures: ['integration, alone: of b.test.ts'],
        unstable: [],
      });
    });

  it('run a whole part again where what failed stands in no file', () => {
    const results = new TestResults();
    const e2e = { suite: 'e2e', title: 'e2e' };
    results.add(e2e, { passed: 0, failed: 1, failures: [failureIn(undefined)], files: {} });
    const [first] = results.toRunAgain();
    expect(first?.again).to.include({ suite: 'e2e', files: undefined });
    if (first !== undefined)
      results.addAgain(first, { passed: 9, failed: 0, failures: [], files: { 'c.test.ts': fileOf(9, 0) } });
    expect(figuresOf(results)).to.deep.include({ passed: 9, failed: 0, failures: [] });
  });

  it('run nothing again of unit tests, of types and style, and of more files than a race makes fail', () => {
    const unit = new TestResults();
    unit.add({ suite: 'unit', title: 'unit' }, { passed: 0, failed: 1, failures: [failureIn('a.test.ts')], files: {} });
    expect(unit.toRunAgain()).to.deep.equal([]);
    const checks = new TestResults();
    checks.count('types', false);
    expect(checks.toRunAgain()).to.deep.equal([]);
    const many = new TestResults();
    const names = Array.from({ length: mostFilesAgain + 1 }, (_, at) => `${at}.test.ts`);
    many.add(part, { passed: 0, failed: names.length, failures: names.map(failureIn), files: {} });
    expect(many.toRunAgain()).to.deep.equal([]);
  });
});
