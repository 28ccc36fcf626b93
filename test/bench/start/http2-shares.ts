import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '../../harness/until.ts';
import { startSubject } from '../footprint/subject-process.ts';
import { hostOf } from '../forwarding/cases.ts';
import { load } from '../forwarding/load.ts';
import { cpuMicroseconds } from '../forwarding/process-tree.ts';
import { spreadOf } from '../forwarding/statistics.ts';
import type { Figure } from '../routing.ts';

const streams = 16;

/**
 * How few connections of HTTP/2 with many streams are spread over two workers: the part of the workers' processor time that
 * the busiest of them uses, which follows its streams.
 */
export async function http2ShareFigures(quick: boolean): Promise<readonly Figure[]> {
  const backend = createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1');
  await until('the backend listens', () => backend.listening);
  const { port } = backend.address() as AddressInfo;
  const proxy = await startSubject(port, { WORKERS: '2' }, 100);
  const figures: Figure[] = [];
  try {
    for (const connections of quick ? [2] : [2, 4, 8]) {
      const name = `work of the busiest of 2 workers, HTTP/2, ${connections} connections × ${streams} streams`;
      const of = { name, connections, streams, path: '/', headers: [`Host: ${hostOf(0)}`], subjects: [], bodyBytes: 2 };
      const percents: number[] = [];
      for (let run = 0; run < (quick ? 2 : 15); run++) {
        const before = proxy.workers.map(cpuMicroseconds);
        await load(proxy.port, of, 1, undefined);
        const spent = proxy.workers.map((pid, at) => cpuMicroseconds(pid) - (before[at] as number));
        const whole = spent.reduce((sum, each) => sum + each, 0);
        percents.push((100 * Math.max(...spent)) / whole);
      }
      if (process.env.BENCH_DETAIL) console.error(name, percents.map(Math.round).join(' '));
      figures.push({ name, unit: '%', ...spreadOf(percents), atMost: 70 });
    }
    return figures;
  } finally {
    await proxy.stop();
    backend.closeAllConnections();
    backend.close();
  }
}

if (import.meta.main)
  for (const { name, median, lowest, highest } of await http2ShareFigures(false))
    console.log(name, median.toFixed(0), lowest.toFixed(0), highest.toFixed(0));
