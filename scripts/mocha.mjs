// Runs one suite, or only the files that are named:
//   node scripts/mocha.mjs SUITE [FILE|DIRECTORY|GLOB …] [mocha's options]
//   node scripts/mocha.mjs --watch FILE …       again after each change of the file or of what it imports
//   node scripts/mocha.mjs package              all tests beside the code of the package in the working directory
// SUITE: unit, integration, e2e, faults (test/mocharc.SUITE.json). Files are named as in the directory where npm was called.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { ownEnvironment, ownNode, root } from './install.mjs';

const suites = ['unit', 'integration', 'e2e', 'faults'];
const [mode, ...given] = process.argv.slice(2);
const from = process.env.INIT_CWD ?? process.cwd();
const files = given.filter((argument) => isTestPath(argument)).map((argument) => specOf(argument));
const options = given.filter((argument) => !isTestPath(argument));

if (mode === '--watch') {
  if (files.length === 0) fail('name the test files to watch: npm run watch -- packages/runtime/src/lifecycle.test.ts');
  run([...mochaArguments(suiteOf(files), files), ...options], ['--watch', '--watch-preserve-output']);
} else if (mode === 'package') {
  const beside = `packages/${basename(process.cwd())}/{src,test,web}/**/*.test.ts`;
  run([...mochaArguments('integration', files.length > 0 ? files : [beside]), '--parallel', '--jobs=4', ...options]);
} else if (suites.includes(mode)) {
  if (files.length === 0) run(['--config', join('test', `mocharc.${mode}.json`), ...options]);
  else run([...mochaArguments(mode === 'unit' ? suiteOf(files) : mode, files), ...options]);
} else {
  fail(`expected ${suites.join(', ')}, package or --watch, not ${mode ?? 'nothing'}`);
}

/** The suite's configuration without its files, and without worker processes, which would delay a single file. */
function mochaArguments(suite, spec) {
  const configuration = JSON.parse(readFileSync(join(root, 'test', `mocharc.${suite}.json`), 'utf8'));
  const { spec: _all, parallel: _parallel, jobs: _jobs, ...rest } = configuration;
  const flags = Object.entries(rest).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [value].flat().map((each) => `--${name}=${each}`),
  );
  return ['--no-config', ...flags, ...spec];
}

/** Tests that start processes may do so when they are named. */
function suiteOf(spec) {
  const found = suites.find((suite) => spec.every((file) => file.startsWith(`test/${suite}/`)));
  if (found !== undefined) return found;
  return spec.some((file) => /\.(process|fuzz|slow)\.test\./.test(file)) ? 'integration' : 'unit';
}

function isTestPath(argument) {
  if (argument.startsWith('-')) return false;
  const isDirectory = (path) => existsSync(path) && statSync(path).isDirectory();
  return (
    /\.test\.ts$|[*{]/.test(argument) || isDirectory(resolve(from, argument)) || isDirectory(resolve(root, argument))
  );
}

/** Relative to the repository's root, where mocha runs. A directory stands for all of its test files. */
function specOf(argument) {
  const path = existsSync(resolve(root, argument)) ? resolve(root, argument) : resolve(from, argument);
  const named = relative(root, path);
  const isDirectory = existsSync(path) && statSync(path).isDirectory();
  // Tests that start processes, fuzzing and slow tests are no unit tests: a directory of sources names them only for other suites.
  return isDirectory ? join(named, mode === 'unit' ? '**/!(*.process|*.fuzz|*.slow).test.ts' : '**/*.test.ts') : named;
}

function run(mochaArguments, nodeOptions = []) {
  const child = spawn(ownNode, [...nodeOptions, join('node_modules', 'mocha', 'bin', 'mocha.js'), ...mochaArguments], {
    cwd: root,
    stdio: 'inherit',
    env: ownEnvironment(),
  });
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
}

function fail(message) {
  console.error(message);
  process.exit(2);
}
