// npm start: installs what is missing, builds the console, then runs `swarmgate standalone` on the project's own Node.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildConsole } from '../packages/console/build.mjs';
import { ensureInstalled, ownEnvironment, ownNode, root } from './install.mjs';

ensureInstalled();
await buildConsole();
const command = join(root, 'packages', 'cli', 'bin', 'swarmgate.mjs');
const child = spawn(ownNode, [command, 'standalone', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: ownEnvironment(),
});

// A Ctrl-C reaches the whole foreground group by itself; a SIGTERM to npm's child reaches only this process.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
// npm passes a SIGTERM on to its shell, which ends without passing it on: this process would go on alone, and hold the
// ports that the next start needs.
const shell = process.ppid;
if (process.env.npm_lifecycle_event === 'start') {
  setInterval(() => {
    if (process.ppid !== shell) child.kill('SIGTERM');
  }, 500).unref();
}
child.on('error', (error) => {
  console.error(`cannot start ${ownNode}: ${error.message}`);
  process.exit(2);
});
child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 0) : 128));
