import { writeFileSync } from 'node:fs';

/** Half of the memory there is, on the kernel's scale of -1,000 to 1,000 (proc(5), `oom_score_adj`). */
const score = '500';

/**
 * Where the container runs out of memory, the kernel ends a worker, which is replaced while others serve, and not the
 * control process, whose end would end them all. Every process may raise its score; where there is none, nothing changes.
 */
export function beFirstToEndWithoutMemory(file = '/proc/self/oom_score_adj'): void {
  try {
    writeFileSync(file, score);
  } catch {
    // Not Linux, or a system that does not show it.
  }
}
