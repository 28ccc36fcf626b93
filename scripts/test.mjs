// npm test: installs what is missing, checks, then runs every suite on the project's own Node and adds up the figures.
// `npm test -- unit integration` runs only those. Plain built-ins of Node 20: see install.mjs.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureInstalled, ownEnvironment, ownNode, root } from './install.mjs';
import { installParts } from './setup/install-parts.mjs';

const suites = [
  { name: 'unit', config: 'test/mocharc.unit.json' },
  { name: 'integration', config: 'test/mocharc.integration.json' },
  { name: 'e2e', config: 'test/mocharc.e2e.json' },
  { name: 'faults', config: 'test/mocharc.faults.json' },
];
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => name !== 'checks' && !suites.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(
    `unknown suite ${unknown.join(', ')}: expected checks, ${suites.map((suite) => suite.name).join(', ')}`,
  );
  process.exit(2);
}
const isWanted = (name) => asked.length === 0 || asked.includes(name);

ensureInstalled();
const total = { passed: 0, failed: 0 };
// Said again at the end: in a long log the reason of a failure is far above the line that counts it.
const failures = [];
const results = mkdtempSync(join(tmpdir(), 'swarmgate-test-'));

function run(title, args, resultFile) {
  console.log(`\n== ${title}`);
  const startedAt = Date.now();
  const env = { ...ownEnvironment(), SWARMGATE_TEST_RESULT: resultFile ?? '', FORCE_COLOR: '0' };
  const done = spawnSync(ownNode, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env });
  console.log(`== ${title}: ${Math.round((Date.now() - startedAt) / 100) / 10} s`);
  return done.status === 0;
}

function count(name, passed) {
  total[passed ? 'passed' : 'failed'] += 1;
  if (!passed) failures.push({ title: name, reason: 'see its part above' });
}

if (isWanted('checks')) {
  count('types', run('types (tsc -b)', [join('node_modules', 'typescript', 'bin', 'tsc'), '-b']));
  count(
    'style',
    run('style (biome)', [
      join('node_modules', '@biomejs', 'biome', 'bin', 'biome'),
      'check',
      '--error-on-warnings',
      '.',
    ]),
  );
}

const chosen = suites.filter((suite) => isWanted(suite.name));
// Says itself what it installs and why; what it may not install it names, with the suites that need it.
const parts = chosen.some((suite) => suite.name !== 'unit') ? await installParts() : { missing: [] };
for (const suite of chosen) {
  const lacking = parts.missing.filter((part) => part.suites.includes(suite.name));
  if (lacking.length > 0) {
    const names = lacking.map((part) => part.name).join(', ');
    console.error(`\n== ${suite.name}: left out, because this machine lacks ${names}`);
    if (process.env.CI) count(`${suite.name} (left out)`, false);
    continue;
  }
  const resultFile = join(results, `${suite.name}.json`);
  const reporter = join(root, 'scripts', 'counting-reporter.cjs');
  const fine = run(
    suite.name,
    [join('node_modules', 'mocha', 'bin', 'mocha.js'), '--config', suite.config, '--reporter', reporter],
    resultFile,
  );
  if (!existsSync(resultFile)) {
    count(`${suite.name} did not run to its end`, false);
    continue;
  }
  const result = JSON.parse(readFileSync(resultFile, 'utf8'));
  total.passed += result.passed;
  total.failed += result.failed;
  failures.push(...result.failures.map(({ title, reason }) => ({ title: `${suite.name}: ${title}`, reason })));
  // Mocha's exit code also tells of what happens outside a test, such as a file that does not load.
  if (!fine && result.failed === 0) count(`${suite.name} ended badly`, false);
  if (result.passed === 0) count(`${suite.name} ran no test`, false);
}

rmSync(results, { recursive: true, force: true });
for (const { title, reason } of failures) console.log(`\nFAILED ${title}\n${reason.replace(/^/gm, '    ')}`);
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);
