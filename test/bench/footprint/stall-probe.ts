import cluster from 'node:cluster';
import { appendFileSync } from 'node:fs';

// Loaded into a worker by NODE_OPTIONS: notes for how long its event loop could do nothing else. At SIGUSR2 it writes
// the longest stall since the last time, in milliseconds, to STALL_FILE.
const file = process.env.STALL_FILE;
if (cluster.isWorker && file !== undefined) {
  let longestMs = 0;
  let atMs = performance.now();
  let spent = process.threadCpuUsage();
  const look = () => {
    const now = performance.now();
    const { user, system } = process.threadCpuUsage(spent);
    // A turn that took long by the clock but not of the processor was taken by other processes, not by ours.
    longestMs = Math.max(longestMs, Math.min(now - atMs, (user + system) / 1_000));
    atMs = now;
    spent = process.threadCpuUsage();
    setTimeout(look, 1).unref();
  };
  look();
  process.on('SIGUSR2', () => {
    appendFileSync(file, `${longestMs}\n`);
    longestMs = 0;
  });
}
