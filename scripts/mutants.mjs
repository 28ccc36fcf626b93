// Plants small faults one by one, and demands that the tests named for each turn red:
//   node scripts/mutants.mjs [WORD …]     only faults whose file or text contains one of the words
// A fault is planted while the file is loaded (test/mutants/plant.mjs): nothing is written to the tree.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ownEnvironment, ownNode, root } from './install.mjs';

const { mutants: all } = await import(pathToFileURL(join(root, 'test/mutants/all.ts')).href);
const words = process.argv.slice(2);
const mutants = all.filter(
  ({ file, fault }) => words.length === 0 || words.some((word) => `${file} ${fault}`.includes(word)),
);
const plant = pathToFileURL(join(root, 'test/mutants/plant.mjs')).href;
const longestMs = 120_000;

const faults = mutants.filter(({ file, find }) => readFileSync(join(root, file), 'utf8').split(find).length !== 2);
for (const { file, find } of faults) console.error(`not exactly once in ${file}: ${JSON.stringify(find)}`);
if (faults.length > 0) process.exit(2);

// Tests that are red by themselves would catch every fault.
const suites = [...new Set(mutants.map(({ tests }) => tests.join('\n')))].map((text) => text.split('\n'));
const red = (await inTurn(suites, async (tests) => ({ tests, isRed: await turnsRed(tests) }))).filter(
  ({ isRed }) => isRed,
);
for (const { tests } of red) console.error(`red without a fault: ${tests.join(' ')}`);
if (red.length > 0) process.exit(1);

let done = 0;
const survivors = (
  await inTurn(mutants, async (mutant) => {
    const isCaught = await turnsRed(mutant.tests, mutant);
    console.log(`${++done}/${mutants.length} ${isCaught ? 'caught' : 'SURVIVED'}  ${mutant.file}: ${mutant.fault}`);
    return { mutant, isCaught };
  })
).filter(({ isCaught }) => !isCaught);
console.log(`${mutants.length - survivors.length} of ${mutants.length} planted faults were caught`);
process.exitCode = survivors.length === 0 ? 0 : 1;

function turnsRed(tests, mutant) {
  const planted =
    mutant === undefined
      ? {}
      : { SWARMGATE_MUTANT: JSON.stringify({ ...mutant, file: pathToFileURL(join(root, mutant.file)).href }) };
  const args = [
    '--import',
    plant,
    'node_modules/mocha/lib/cli/cli.js',
    '--no-config',
    '--bail',
    '--timeout=8000',
    '--exit',
    ...tests,
  ];
  const child = spawn(ownNode, args, { cwd: root, env: { ...ownEnvironment(), ...planted } });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes) => {
      output += bytes;
    });
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, longestMs);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      // A fault that makes a test hang is caught, too. One that keeps a file from loading shows nothing.
      if (code === 0) resolve(false);
      else if (isLate || / failing$/m.test(output)) resolve(true);
      else reject(new Error(`no test ran with ${JSON.stringify(mutant?.fault ?? tests)}: ${output.slice(0, 2_000)}`));
    });
  });
}

/** As many at a time as there are processors; results in order. */
async function inTurn(items, work) {
  const results = [];
  let next = 0;
  const one = async () => {
    while (next < items.length) {
      const at = next++;
      results[at] = await work(items[at]);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, one));
  return results;
}
