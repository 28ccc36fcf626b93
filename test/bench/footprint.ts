import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { descriptorLimit } from '@swarmgate/runtime';
import { descriptorBudget } from '../../packages/proxy/src/server/descriptor-budget.ts';
import { openClients, requestHead } from './footprint/clients.ts';
import { idleHttp2Bytes } from './footprint/idle-http2.ts';
import { numbersBytes } from './footprint/numbers-memory.ts';
import { startSubject } from './footprint/subject-process.ts';
import { services } from './forwarding/cases.ts';
import { residentBytes } from './forwarding/process-tree.ts';
import type { Figure } from './routing.ts';

export interface FootprintOptions {
  /** A tenth of the connections, to see that it runs: no figures to publish. */
  readonly quick: boolean;
  readonly say: (line: string) => void;
}

const megabyte = 2 ** 20;
const stalledConnections = 400;

/** What connections and changes cost a serving process besides its processor: memory, and turns of its event loop. */
export async function benchFootprint({ quick, say }: FootprintOptions): Promise<readonly Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'swarmgate-footprint-'));
  const backend = await startBackend();
  const { port } = backend.address() as AddressInfo;
  try {
    const figures: Figure[] = [];
    for (const take of [
      idleConnections,
      idleHttp2,
      stalledReaders,
      stalledSenders,
      numbersMemory,
      workerMemory,
      workerStalls,
    ]) {
      const found = await take({ backendPort: port, directory, quick });
      for (const { name, median, unit } of found) say(`  ${name}: ${median.toFixed(1)} ${unit}`);
      figures.push(...found);
    }
    return figures;
  } finally {
    backend.closeAllConnections();
    backend.close();
    await rm(directory, { recursive: true, force: true });
  }
}

interface MatchKey {
  readonly backendPort: number;
  readonly directory: string;
  readonly quick: boolean;
}

/** Of one process that serves by itself, with 10,000 services. */
async function idleConnections({ backendPort, directory, quick }: MatchKey): Promise<readonly Figure[]> {
  const count = quick ? 1_000 : idleClients();
  const proxy = await startSubject(backendPort, env(directory, 0));
  const before = residentBytes(proxy.pid);
  const clients = await openClients(proxy.port, count, requestHead('GET /'), (text) => text.endsWith('ok'));
  await pause(2_000);
  const resident = residentBytes(proxy.pid);
  destroy(clients);
  await proxy.stop();
  return [
    one(`RSS with ${count.toLocaleString('en')} idle connections`, 'MB', resident / megabyte, 300),
    one('memory of an idle connection', 'KB', (resident - before) / count / 1_024),
  ];
}

/** In thousands, as many as a process admits with the descriptors that this machine allows. */
function idleClients(): number {
  return Math.min(10_000, Math.floor(descriptorBudget(descriptorLimit()).clients / 1_000) * 1_000);
}

/** Of one process with 10,000 services, beside HAProxy and beside a server of node:tls that does nothing else. */
async function idleHttp2({ backendPort, directory, quick }: MatchKey): Promise<readonly Figure[]> {
  const count = quick ? 200 : 1_500;
  const { clear, secure, bareTls, haproxy } = await idleHttp2Bytes({
    backendPort,
    directory,
    env: env(directory, 0),
    count,
  });
  const over = one(
    'memory of an idle HTTP/2 connection over TLS, above that of node:tls',
    'KB',
    kilobytes(secure - bareTls),
    8,
  );
  const own = [
    one('memory of an idle HTTP/2 connection', 'KB', kilobytes(clear)),
    one('memory of an idle HTTP/2 connection over TLS', 'KB', kilobytes(secure)),
    over,
  ];
  if (haproxy === undefined) return own;
  return [
    ...own,
    one('memory of an idle HTTP/2 connection, against HAProxy', '×', clear / haproxy.clear, 1.5),
    one('memory of an idle HTTP/2 connection over TLS, against HAProxy', '×', secure / haproxy.secure),
  ];
}

function kilobytes(bytes: number): number {
  return bytes / 1_024;
}

/** Clients that request a response without end and do not read it. */
async function stalledReaders({ backendPort, directory }: MatchKey): Promise<readonly Figure[]> {
  const bytes = await memoryOf(backendPort, directory, requestHead('GET /endless'), (text) =>
    text.includes('\r\n\r\n'),
  );
  return [one('memory of a connection whose client does not read', 'KB', bytes / 1_024)];
}

/** Clients that send a body without end to a service that does not read it. */
async function stalledSenders({ backendPort, directory }: MatchKey): Promise<readonly Figure[]> {
  const head = requestHead('POST /deaf', 'Content-Length: 1073741824\r\n');
  const sent = Buffer.concat([Buffer.from(head), Buffer.alloc(8 * megabyte)]);
  const bytes = await memoryOf(backendPort, directory, sent, () => true);
  return [one('memory of a connection whose service does not read', 'KB', bytes / 1_024)];
}

async function memoryOf(
  backendPort: number,
  directory: string,
  sent: string | Buffer,
  isDone: (received: string) => boolean,
): Promise<number> {
  const proxy = await startSubject(backendPort, env(directory, 0));
  const before = residentBytes(proxy.pid);
  const clients = await openClients(proxy.port, stalledConnections, sent, isDone);
  // Until every buffer that will fill has filled.
  await pause(5_000);
  const after = residentBytes(proxy.pid);
  destroy(clients);
  await proxy.stop();
  return (after - before) / stalledConnections;
}

async function numbersMemory(): Promise<readonly Figure[]> {
  const what = 'numbers of 10,000 services with traffic, in a worker';
  return [one(what, 'MB', numbersBytes() / megabyte, 10)];
}

async function workerMemory({ backendPort, directory, quick }: MatchKey): Promise<readonly Figure[]> {
  // The very first worker compiles the sources and keeps them in DATA_DIR for those that come after.
  await (await startSubject(backendPort, env(directory, 1), 100)).stop();
  const figures: Figure[] = [];
  for (const size of [100, services])
    figures.push(await memoryOfWorker(backendPort, directory, size, quick ? 20 : 400));
  return figures;
}

async function memoryOfWorker(backendPort: number, directory: string, size: number, times: number): Promise<Figure> {
  const proxy = await startSubject(backendPort, env(directory, 1), size);
  const head = requestHead('GET /');
  const clients = await openClients(proxy.port, 256, head, (text) => text.endsWith('ok'));
  const busy = clients.map((client) => keepRequesting(client, head, times));
  const highest: number[] = [];
  const watching = setInterval(() => highest.push(residentBytes(proxy.pid) / megabyte), 200);
  await Promise.all(busy);
  clearInterval(watching);
  destroy(clients);
  await proxy.stop();
  const what = `RSS of a worker at 256 busy connections, ${size.toLocaleString('en')} services`;
  return figure(what, 'MB', highest, 120);
}

/** Sends the next request when the response to the one before is there. */
function keepRequesting(client: Socket, head: string, times: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = times;
    client.once('close', () => reject(new Error('the proxy closed a busy connection')));
    client.on('data', (piece: Buffer) => {
      if (!piece.toString('latin1').endsWith('ok')) return;
      left -= 1;
      if (left === 0) resolve();
      else client.write(head);
    });
    client.resume();
    client.write(head);
  });
}

async function workerStalls({ backendPort, directory, quick }: MatchKey): Promise<readonly Figure[]> {
  const file = join(directory, 'stalls');
  const probe = new URL('./footprint/stall-probe.ts', import.meta.url).href;
  const proxy = await startSubject(backendPort, {
    ...env(directory, 1),
    STALL_FILE: file,
    NODE_OPTIONS: `--import=${probe}`,
  });
  // What starting left behind is not the swaps'.
  await pause(2_000);
  const runs = quick ? 2 : 9;
  for (let run = 0; run <= runs; run++) {
    if (run > 0) await proxy.swap(100);
    process.kill(proxy.pid, 'SIGUSR2');
    await pause(100);
  }
  await proxy.stop();
  const [, ...stalls] = readFileSync(file, 'utf8').trim().split('\n').map(Number);
  return [figure('longest stall of a worker in a second of 100 swaps, 10,000 services', 'ms', stalls, 5)];
}

/** Responds with `ok`; `/endless` never ends, and `/deaf` reads nothing. */
async function startBackend(): Promise<Server> {
  const piece = Buffer.alloc(65_536);
  const server = createServer((request, response) => {
    if (request.url === '/endless') {
      const more = () => {
        if (!response.destroyed && response.write(piece)) setImmediate(more);
      };
      response.on('drain', more);
      more();
    } else if (request.url !== '/deaf') response.end('ok');
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function env(directory: string, workers: number): Readonly<Record<string, string>> {
  return {
    DATA_DIR: directory,
    WORKERS: String(workers),
    TIMEOUT_HTTP_KEEP_ALIVE: '600',
    TIMEOUT_CLIENT: '600',
    TIMEOUT_SERVER: '600',
  };
}

function destroy(sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.removeAllListeners('close').destroy();
}

function one(name: string, unit: string, value: number, atMost?: number): Figure {
  return figure(name, unit, [value], atMost);
}

function figure(name: string, unit: string, values: readonly number[], atMost?: number): Figure {
  const sorted = values.toSorted((less, more) => less - more);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const spread = { lowest: sorted[0] ?? Number.NaN, highest: sorted.at(-1) ?? Number.NaN };
  return { name, unit, median, ...spread, ...(atMost === undefined ? {} : { atMost }) };
}

if (import.meta.main)
  await benchFootprint({ quick: process.argv.includes('--quick'), say: (line) => console.log(line) });
