import { parentPort } from 'node:worker_threads';
import { passwordFits } from './password-check.ts';
import type { PasswordAnswer, PasswordJob } from './password-pool.ts';

/** The thread that hashes: one job after the other, each answered by its number. */
parentPort?.on('message', ({ id, password, hash }: PasswordJob) => {
  let fits = false;
  try {
    fits = passwordFits(password, hash);
  } catch {
    // A malformed hash fits nothing.
  }
  const answer: PasswordAnswer = { id, fits };
  parentPort?.postMessage(answer);
});
