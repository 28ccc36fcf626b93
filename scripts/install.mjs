// Installs the project's own dependencies where they are missing or stale. Plain built-ins of Node 20, because it runs
// before anything is installed, on whatever Node the machine has.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The Node that sources run on: a devDependency, so that the machine's own version does not matter. */
export const ownNode = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

const stamp = join(root, 'node_modules', '.swarmgate-installed');

/** Runs `npm ci` unless the lock is the one that was installed last. Ends the process with 2 where it cannot. */
export function ensureInstalled() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(ownNode) && existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.log('Installing dependencies with npm ci (once, about half a minute) …');
  const startedAt = Date.now();
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const done = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: 'inherit' });
  if (done.status !== 0) {
    console.error(`npm ci failed (exit ${done.status ?? done.error?.message}). Its own message is above.`);
    process.exit(2);
  }
  if (!existsSync(ownNode)) {
    console.error(
      `npm ci did not bring ${ownNode}: the install script of the package "node" was not run. ` +
        'Allow install scripts (npm config delete ignore-scripts) and try again.',
    );
    process.exit(2);
  }
  writeFileSync(stamp, lock);
  console.log(`Installed in ${Math.round((Date.now() - startedAt) / 1000)} s.`);
}

/** The environment for a child that runs the project's own Node: its tools come first on the PATH. */
export function ownEnvironment() {
  return {
    ...process.env,
    PATH: `${dirname(ownNode)}:${join(root, 'node_modules', '.bin')}:${process.env.PATH ?? ''}`,
  };
}
