/** The other side of `startLoads`: sends what it is given, until it is stopped. */
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { constantLoad } from '../harness/http.ts';
import type { LoadToSend } from './load-in-a-thread.ts';

const loads = (workerData as readonly LoadToSend[]).map(constantLoad);
if (parentPort !== null) {
  await once(parentPort, 'message');
  parentPort.postMessage(await Promise.all(loads.map((load) => load.stop())));
}
