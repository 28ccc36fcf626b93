/**
 * Constant loads in a thread of their own: what the test does meanwhile must not show as a pause of what is measured.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { LoadReport } from '../harness/http.ts';

export interface LoadToSend {
  readonly url: string;
  readonly ratePerSecond: number;
}

export interface Loads {
  /** Sends no more, waits for what is under way. One report for each load. */
  stop(): Promise<readonly LoadReport[]>;
}

export function startLoads(loads: readonly LoadToSend[]): Loads {
  const thread = new Worker(new URL('load-thread.ts', import.meta.url), { workerData: loads });
  return {
    async stop() {
      const reported = once(thread, 'message');
      thread.postMessage('stop');
      const [reports] = (await reported) as [readonly LoadReport[]];
      await thread.terminate();
      return reports;
    },
  };
}
