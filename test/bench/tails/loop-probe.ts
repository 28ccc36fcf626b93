import cluster from 'node:cluster';
import { appendFileSync } from 'node:fs';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';

// Loaded into every process of a proxy by NODE_OPTIONS. At SIGUSR2 it writes a `LoopReport` of the time since the last one, a
// line of JSON, to TAILS_FILE. The worker's primary passes the signal on.
const file = process.env.TAILS_FILE;
const resolutionMs = 1;
const ms = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolutionMs);

if (file !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  let pauses: number[] = [];
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) pauses.push(duration);
  }).observe({ entryTypes: ['gc'] });
  let cpu = process.cpuUsage();
  // A turn that took long by the clock but not of the processor was taken by other processes.
  let busiestMs = 0;
  let atMs = performance.now();
  let spent = process.threadCpuUsage();
  const look = () => {
    const now = performance.now();
    const { user, system } = process.threadCpuUsage(spent);
    busiestMs = Math.max(busiestMs, Math.min(now - atMs, (user + system) / 1_000));
    atMs = now;
    spent = process.threadCpuUsage();
    setTimeout(look, resolutionMs).unref();
  };
  look();
  process.on('SIGUSR2', () => {
    if (cluster.isPrimary) for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGUSR2');
    const { user, system } = process.cpuUsage(cpu);
    cpu = process.cpuUsage();
    const sorted = pauses.toSorted((one, other) => one - other);
    const report = {
      role: cluster.isWorker ? 'worker' : 'main',
      cpuMs: (user + system) / 1_000,
      turns: { p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)), max: ms(delay.max), busiest: busiestMs },
      pauses: {
        count: sorted.length,
        totalMs: sorted.reduce((sum, each) => sum + each, 0),
        p50: sorted[Math.floor(sorted.length / 2)] ?? 0,
        max: sorted.at(-1) ?? 0,
      },
    };
    appendFileSync(file, `${JSON.stringify(report)}\n`);
    pauses = [];
    busiestMs = 0;
    delay.reset();
  });
}
