import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { messageOf } from '../errors.ts';

/** Why a file cannot be used as PEM; `undefined` where it can. What it holds is never shown: it may be a private key. */
export function objectionToPem(path: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return `expected a PEM file that this process can read (${messageOf(error)})`;
  }
  return text.includes('-----BEGIN ') ? undefined : 'expected a PEM file; this one has no -----BEGIN line';
}

/** Why a folder cannot be used; `undefined` where it can. Makes it where it is missing. */
export function objectionToFolder(path: string, needs: 'present' | 'writable'): string | undefined {
  try {
    makeFolder(resolve(path));
    if (needs === 'writable') rmdirSync(mkdtempSync(join(path, '.writable-')));
    return undefined;
  } catch (error) {
    const user = process.getuid?.();
    const who = user === undefined ? 'this process' : `this process (user ${user})`;
    const mend = 'make it and give it to that user, or name another one';
    return `expected a folder that ${who} can make and write to (${messageOf(error)}): ${mend}`;
  }
}

/** As `mkdir -p`. Node's own `recursive` tries for ever beneath a file system that makes no folders, such as /proc. */
function makeFolder(path: string): void {
  if (!existsSync(path)) {
    const parent = dirname(path);
    if (parent !== path) makeFolder(parent);
    makeOne(path);
  }
  if (!statSync(path).isDirectory()) throw new Error(`${path} is there, and is no folder`);
}

function makeOne(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process of ours may make it at the same time.
    if (!existsSync(path)) throw error;
  }
}
