import { existsSync, mkdirSync, mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { messageOf } from '../errors.ts';
import { readRegularFileSync } from '../regular-file.ts';

/** Why a file cannot be used as PEM; `undefined` where it can. What it holds is never shown: it may be a private key. */
export function objectionToPem(path: string): string | undefined {
  let text: string;
  try {
    text = readRegularFileSync(path);
  } catch (error) {
    return `expected a PEM file that this process can read (${messageOf(error)})`;
  }
  return text.includes('-----BEGIN ') ? undefined : 'expected a PEM file; this one has no -----BEGIN line';
}

/**
 * Why a folder is unusable; `undefined` where it is usable. Creates a missing one, with mode 700 if it is written to: its content
 * (definitions with password hashes, keys) is for this user alone. A full disk is no objection.
 */
export function objectionToFolder(path: string, needs: 'present' | 'writable'): string | undefined {
  try {
    makeFolder(resolve(path), needs === 'writable' ? 0o700 : 0o777);
    if (needs === 'writable') rmdirSync(mkdtempSync(join(path, '.writable-')));
    return undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC' && existsSync(path)) return undefined;
    const user = process.getuid?.();
    const who = user === undefined ? 'this process' : `this process (user ${user})`;
    const mend = 'create it for that user, or name another one';
    return `expected a folder that ${who} can create and write to (${messageOf(error)}): ${mend}`;
  }
}

/** As `mkdir -p`. Node's own `recursive` never ends on a file system that refuses folders, such as /proc. */
function makeFolder(path: string, mode: number): void {
  if (!existsSync(path)) {
    const parent = dirname(path);
    if (parent !== path) makeFolder(parent, 0o777);
    makeOne(path, mode);
  }
  if (!statSync(path).isDirectory()) throw new Error(`${path} exists and is not a folder`);
}

function makeOne(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Another process of ours may make it at the same time.
    if (!existsSync(path)) throw error;
  }
}
