// Installs the project's own dependencies where they are missing or stale. Plain built-ins of Node 20, because it runs
// before anything is installed, on whatever Node the machine has.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The Node that sources run on: a devDependency, so that the machine's own version does not matter. */
export const ownNode = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** Runs `npm ci` unless what the lock names is installed. Ends the process with 2 where it cannot. */
export function ensureInstalled() {
  if (existsSync(ownNode) && isInstalled()) return;
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
  console.log(`Installed in ${Math.round((Date.now() - startedAt) / 1000)} s.`);
}

/** npm writes down what it installed when it is done, so an interrupted installation does not count. */
function isInstalled() {
  const installedFile = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  const required = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(required).every(([path, { version, optional }]) => {
    // Workspaces are links; packages for other platforms are not installed here.
    if (!path.includes('node_modules/') || version === undefined) return true;
    const there = installed[path];
    return there === undefined ? optional === true : there.version === version;
  });
}

/** The environment for a child that runs the project's own Node: its tools come first on the PATH. */
export function ownEnvironment() {
  return {
    ...process.env,
    PATH: `${dirname(ownNode)}:${join(root, 'node_modules', '.bin')}:${process.env.PATH ?? ''}`,
  };
}
