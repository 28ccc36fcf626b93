import { parentPort } from 'node:worker_threads';
import { passwordFits } from './password-check.ts';
import type { PasswordJob, PasswordResult } from './password-pool.ts';

/** The thread that hashes: one job after the other, each result has its number. */
parentPort?.on('message', ({ id, password, hash }: PasswordJob) => {
  let fits = false;
  try {
    fits = passwordFits(password, hash);
  } catch {
    // A malformed hash fits nothing.
  }
  const result: PasswordResult = { id, fits };
  parentPort?.postMessage(result);
});
