import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '../../harness/until.ts';
import { openClients, requestHead } from '../footprint/clients.ts';
import { startSubject } from '../footprint/subject-process.ts';
import type { Figure } from '../routing.ts';

const workers = 4;

/** How connections that stay open are spread over the workers: those of the busiest, against the mean. */
export async function shareFigures(quick: boolean): Promise<readonly Figure[]> {
  const backend = createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1');
  await until('the backend listens', () => backend.listening);
  const { port } = backend.address() as AddressInfo;
  const proxy = await startSubject(port, { WORKERS: String(workers), TIMEOUT_HTTP_KEEP_ALIVE: '600' }, 100);
  const figures: Figure[] = [];
  try {
    for (const count of quick ? [8, 64] : [2, 4, 8, 16, 64, 256, 1_000]) {
      const values: number[] = [];
      for (let run = 0; run < (quick ? 1 : 5); run += 1) {
        const clients = await openClients(proxy.port, count, requestHead('GET /'), (text) => text.endsWith('ok'));
        const held = acceptedBy(proxy.workers, proxy.port);
        if (process.env.BENCH_DETAIL) console.error(count, held.join(' '));
        // With fewer connections than workers one each is as even as it can be.
        values.push(Math.max(...held) / Math.max(1, count / workers));
        for (const client of clients) client.removeAllListeners('close').destroy();
        await until('all are closed', () => acceptedBy(proxy.workers, proxy.port).every((each) => each === 0));
      }
      const sorted = values.toSorted((one, other) => one - other);
      figures.push({
        name: `connections of the busiest of ${workers} workers against the mean, ${count.toLocaleString('en')} connections`,
        unit: '×',
        median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN,
        lowest: sorted[0] ?? Number.NaN,
        highest: sorted.at(-1) ?? Number.NaN,
        atMost: 1.3,
      });
    }
    return figures;
  } finally {
    await proxy.stop();
    backend.closeAllConnections();
    backend.close();
  }
}

/** Established connections of clients at this port, by process. */
function acceptedBy(pids: readonly number[], port: number): readonly number[] {
  const local = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n')) {
    const [, address, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state === '01' && address?.endsWith(`:${local}`) === true) inodes.add(`socket:[${inode}]`);
  }
  return pids.map(
    (pid) => readdirSync(`/proc/${pid}/fd`).filter((fd) => inodes.has(linkOf(`/proc/${pid}/fd/${fd}`))).length,
  );
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed since it was listed.
    return '';
  }
}

if (import.meta.main)
  for (const { name, median, lowest, highest } of await shareFigures(false)) console.log(name, median, lowest, highest);
