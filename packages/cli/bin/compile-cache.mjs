import { existsSync, mkdirSync, statSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

const serving = ['proxy', 'listener', 'standalone'];

/**
 * Keeps compiled sources on disk, so that the next process of this user starts in half the time and a long-running one takes
 * some 25 MB less: those of long-running processes in `DATA_DIR`, beside those of their workers; those of commands in the
 * user's cache folder, or in `DATA_DIR` where that cannot be written, as in a container. NODE_COMPILE_CACHE and
 * NODE_DISABLE_COMPILE_CACHE have their usual effect. Without a usable folder nothing is kept.
 * @param {string | undefined} command
 */
export function keepCompiledSources(command) {
  const { DATA_DIR, NODE_COMPILE_CACHE, XDG_CACHE_HOME } = process.env;
  if (NODE_COMPILE_CACHE) return;
  const isServing = serving.includes(command);
  // DATA_DIR itself is made by the process once it has checked its settings.
  const ofData = { parent: DATA_DIR || (isServing ? './.swarmgate' : ''), recursive: false };
  const ofUser = { parent: join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'swarmgate'), recursive: true };
  for (const { parent, recursive } of isServing ? [ofData] : [ofUser, ofData]) {
    if (parent === '') continue;
    const folder = join(parent, 'compile-cache');
    // The interface is missing in versions of Node before 22.1.
    if (isOwn(folder, recursive)) return void module.enableCompileCache?.(folder);
  }
}

/** What is compiled is run: a folder that another user may write to is not used. */
function isOwn(folder, recursive) {
  try {
    if (!existsSync(folder)) mkdirSync(folder, { recursive, mode: 0o700 });
    const { uid, mode } = statSync(folder);
    return uid === process.getuid?.() && (mode & 0o022) === 0;
  } catch {
    return false;
  }
}
