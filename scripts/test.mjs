// npm test: installs what is missing, checks, then runs every suite on the project's own Node and adds up the figures.
// `npm test -- unit integration` runs only those. Plain built-ins of Node 20: see install.mjs.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildConsole } from '../packages/console/build.mjs';
import { ensureInstalled, ownEnvironment, ownNode, root } from './install.mjs';
import { installParts } from './setup/install-parts.mjs';
import { TestResults } from './test-results.mjs';
import { budgetMinutes, testSteps } from './test-steps.mjs';

const names = ['unit', 'integration', 'e2e', 'faults'];
const requested = process.argv.slice(2);
const unknown = requested.filter((name) => name !== 'checks' && !names.includes(name));
if (unknown.length > 0) {
  console.error(`unknown suite ${unknown.join(', ')}: expected checks, ${names.join(', ')}`);
  process.exit(2);
}
const isRequired = (name) => requested.length === 0 || requested.includes(name);

ensureInstalled();
await buildConsole();
const startedAt = Date.now();
const total = new TestResults();
const shownFiles = 25;
const results = mkdtempSync(join(tmpdir(), 'swarmgate-test-'));
const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
    stopEngine();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  });
}

/** The output of parts that run side by side comes whole, when each has ended. */
function run(title, args, { resultFile = '', isAlone = true } = {}) {
  const begun = Date.now();
  const env = { ...ownEnvironment(), SWARMGATE_TEST_RESULT: resultFile, FORCE_COLOR: '0' };
  console.log(isAlone ? `\n== ${title}` : `\n== ${title}: started`);
  return new Promise((resolve) => {
    const stdio = isAlone ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'];
    const child = spawn(ownNode, args, { cwd: root, stdio, env });
    running.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    child.on('error', (error) => {
      output += error.message;
    });
    child.on('close', (code) => {
      running.delete(child);
      if (!isAlone) console.log(`\n== ${title}\n${output}`);
      console.log(`== ${title}: ${seconds(begun)} s`);
      resolve(code === 0);
    });
  });
}

async function runPart(part, isAlone) {
  const { fine, result } = await runFiles(part, isAlone);
  if (result === undefined) {
    total.count(`${part.title} did not run to its end`, false);
    return;
  }
  total.add(part, result);
  // Mocha's exit code also covers what happens outside a test, such as a file that does not load.
  if (!fine && result.failed === 0) total.count(`${part.title} ended badly`, false);
  if (result.passed === 0 && result.failed === 0) total.count(`${part.title} ran no test`, false);
}

async function runFiles(part, isAlone) {
  const resultFile = join(results, `${part.title.replaceAll(/\W+/g, '-')}.json`);
  const reporter = join(root, 'scripts', 'counting-reporter.cjs');
  const args = [join('scripts', 'mocha.mjs'), part.suite, ...(part.files ?? []), '--reporter', reporter, '--no-color'];
  if (part.jobs !== undefined) args.push('--parallel', '--jobs', String(part.jobs));
  const fine = await run(part.title, args, { resultFile, isAlone });
  return { fine, result: existsSync(resultFile) ? JSON.parse(readFileSync(resultFile, 'utf8')) : undefined };
}

// One engine for all suites: files that run side by side must not stop it under each other.
let enginePid;
function startEngine() {
  const started = spawnSync(ownNode, [join('test', 'harness', 'docker.ts')], {
    cwd: root,
    encoding: 'utf8',
    env: ownEnvironment(),
  });
  const pidFile = /started; its pid is in (\S+)/.exec(started.stdout)?.[1];
  if (pidFile !== undefined) enginePid = Number(readFileSync(pidFile, 'utf8'));
  console.log(started.status === 0 ? started.stdout.trim() : started.stderr.trim());
}
function stopEngine() {
  if (enginePid === undefined) return;
  try {
    process.kill(enginePid, 'SIGTERM');
  } catch {
    // It has ended already.
  }
  enginePid = undefined;
}

if (isRequired('checks')) {
  const biome = join('node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const checks = [
    ['types', 'types (tsc -b)', [join('node_modules', 'typescript', 'bin', 'tsc'), '-b']],
    ['style', 'style (biome)', [biome, 'check', '--error-on-warnings', '.']],
  ];
  const fine = await Promise.all(checks.map(([, title, args]) => run(title, args, { isAlone: false })));
  for (const [at, [name]] of checks.entries()) total.count(name, fine[at]);
}

const steps = testSteps(isRequired);
const needsParts = steps.flat(2).some(({ suite }) => suite !== 'unit');
// Prints what it installs and why; what it must not install it names, with the suites that need it.
const lacking = needsParts ? (await installParts()).missing : [];
const isLeftOut = (suite) => lacking.some((part) => part.suites.includes(suite));
for (const suite of names.filter((name) => isRequired(name) && isLeftOut(name))) {
  const missing = lacking.filter((part) => part.suites.includes(suite)).map((part) => part.name);
  console.error(`\n== ${suite}: left out, because this machine lacks ${missing.join(', ')}`);
  if (process.env.CI) total.count(`${suite} (left out)`, false);
}
if (needsParts && !names.every((name) => name === 'unit' || isLeftOut(name))) startEngine();
try {
  for (const step of steps) {
    const lanes = step.map((parts) => parts.filter(({ suite }) => !isLeftOut(suite)));
    const isAlone = lanes.filter((parts) => parts.length > 0).length === 1;
    await Promise.all(
      lanes.map(async (parts) => {
        for (const part of parts) await runPart(part, isAlone);
      }),
    );
  }
  for (const what of total.toRunAgain()) {
    const { fine, result } = await runFiles(what.again, true);
    total.addAgain(what, fine ? result : undefined);
  }
} finally {
  stopEngine();
  rmSync(results, { recursive: true, force: true });
}

if (total.took.length > 0) {
  const slowest = total.took.sort((one, other) => other.tookMs - one.tookMs).slice(0, shownFiles);
  const lines = slowest.map(({ file, tookMs }) => `  ${(tookMs / 1_000).toFixed(1)} s ${file}`);
  console.log(`\nthe files whose tests and hooks took longest\n${lines.join('\n')}`);
}

const minutes = (Date.now() - startedAt) / 60_000;
if (minutes > budgetMinutes) {
  const reason = `the run took ${minutes.toFixed(1)} minutes, more than ${budgetMinutes}: scripts/test-steps.mjs divides it`;
  // Not a failure: the speed of a shared machine does not depend on what was changed.
  console.log(`\nWARNING ${reason}`);
}
// At the end: in a long log the reason of a failure is far above the line that counts it.
for (const [heading, list] of [
  ['UNSTABLE, passed when its file ran again:', total.unstable],
  ['FAILED', total.failures],
]) {
  for (const { title, reason } of list) console.log(`\n${heading} ${title}\n${reason.replace(/^/gm, '    ')}`);
}
console.log(`\n${minutes.toFixed(1)} minutes`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);

function seconds(since) {
  return Math.round((Date.now() - since) / 100) / 10;
}
