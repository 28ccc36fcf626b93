// Tries the fuzz tests again and again, each round with another seed and ten times the cases of `npm test`, until one fails
// or the time is over:
//   npm run fuzz                 one hour
//   npm run fuzz -- 8            eight hours
//   npm run fuzz -- 8 FILE …     of these files only
// A round that fails is repeated by FUZZ_SEED=<its seed> FUZZ_FACTOR=10 npm run test:integration -- FILE.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { ownEnvironment, ownNode, root } from './install.mjs';

const [hoursGiven = '1', ...named] = process.argv.slice(2);
const hours = Number(hoursGiven);
if (!(hours > 0)) {
  console.error(`expected a number of hours, not ${hoursGiven}: npm run fuzz -- 8`);
  process.exit(2);
}
const files = named.length > 0 ? named : globSync('packages/*/{src,test}/**/*.fuzz.test.ts', { cwd: root }).sort();
const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
const endMs = Date.now() + hours * 3_600_000;
for (let round = 1; Date.now() < endMs; round += 1) {
  const seed = randomInt(1, 2 ** 31);
  console.log(`round ${round}, FUZZ_SEED=${seed}`);
  const { status } = spawnSync(
    ownNode,
    [mocha, '--no-config', '--exit', '--timeout', '3600000', '--reporter', 'dot', ...files],
    { cwd: root, stdio: 'inherit', env: { ...ownEnvironment(), FUZZ_SEED: String(seed), FUZZ_FACTOR: '10' } },
  );
  if (status !== 0) {
    console.error(`a case failed: FUZZ_SEED=${seed} FUZZ_FACTOR=10 npm run test:integration -- ${files.join(' ')}`);
    process.exit(1);
  }
}
