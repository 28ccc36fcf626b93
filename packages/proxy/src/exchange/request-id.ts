import { randomBytes } from 'node:crypto';

/** Whether an X-Request-Id can be kept: 1 to 128 visible ASCII characters. */
export function isRequestId(text: string): boolean {
  return /^[\x21-\x7e]{1,128}$/.test(text);
}

/**
 * Makes request ids: 16 random hex digits for this process, then a counter. Unique among replicas, and far cheaper
 * than fresh randomness for each request. Not a secret, nor hard to guess.
 */
export function requestIds(prefix: string = randomBytes(8).toString('hex')): () => string {
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
}
