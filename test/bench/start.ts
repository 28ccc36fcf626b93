import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { startConsul } from '../harness/consul.ts';
import { freePorts } from '../harness/free-ports.ts';
import { send } from '../harness/http.ts';
import { startSwarmgate } from '../harness/swarmgate-process.ts';
import { until } from '../harness/until.ts';
import { fillRegistry } from './changes.ts';
import { spreadOf } from './forwarding/statistics.ts';
import type { Figure } from './routing.ts';
import { commandFigures } from './start/commands.ts';
import { http2ShareFigures } from './start/http2-shares.ts';
import { allocatorSettings } from './start/image-environment.ts';
import { type Memory, memoryOfTree } from './start/memory.ts';
import { shareFigures } from './start/shares.ts';

export interface StartOptions {
  /** A tenth of everything, to see that it runs: no figures to publish. */
  readonly quick: boolean;
  /** Of `steps`. Default: all. */
  readonly only?: readonly string[];
  readonly say: (line: string) => void;
}

const promised = { serveMs: 1_500, wholeMb: 250, workerMb: 90 };
/** Each takes less than 150 s. */
const steps = ['commands', 'connections', 'http2', 'start', 'workers'] as const;
const megabyte = 2 ** 20;
const settleMs = 8_000;

/** From the start of the process to the first response, and what it takes then: a proxy that has 10,000 services in Consul. */
export async function benchStart({ quick, only = [], say }: StartOptions): Promise<readonly Figure[]> {
  const unknown = only.find((each) => !steps.some((step) => step === each));
  if (unknown !== undefined) throw new Error(`--part start has ${steps.join(', ')}, and no ${unknown}`);
  const has = (step: (typeof steps)[number]) => only.length === 0 || only.includes(step);
  const figures: Figure[] = [];
  const add = (figure: Figure) => {
    say(`  ${figure.name}: ${figure.median.toFixed(1)} ${figure.unit}`);
    figures.push(figure);
  };
  if (has('commands')) for (const figure of await commandFigures(quick ? 3 : 10)) add(figure);
  if (has('connections')) for (const figure of await shareFigures(quick)) add(figure);
  if (has('http2')) for (const figure of await http2ShareFigures(quick)) add(figure);
  if (!has('start') && !has('workers')) return figures;
  const count = quick ? 1_000 : 10_000;
  const services = `${count.toLocaleString('en')} services`;
  const backend = createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1');
  await until('the backend listens', () => backend.listening);
  const { port } = backend.address() as AddressInfo;
  const consul = await startConsul();
  try {
    await fillRegistry(consul, port, count);
    const one = await startsOf(consul.address, count, 1, quick || !has('start') ? 2 : 5);
    if (has('start')) addStart(one);
    if (!has('workers')) return figures;
    const three = await startsOf(consul.address, count, 3, quick ? 1 : 2);
    const each = (of: (memory: Memory) => number) => {
      const first = spreadOf(one.memory.map(of)).median;
      return spreadOf(three.memory.map((memory) => (of(memory) - first) / 2 / megabyte));
    };
    add({
      name: `RSS of each further worker, ${services}`,
      unit: 'MB',
      ...each(({ resident }) => resident),
      atMost: promised.workerMb,
    });
    add({ name: `PSS of each further worker, ${services}`, unit: 'MB', ...each(({ proportional }) => proportional) });
    return figures;
  } finally {
    await consul.remove();
    backend.closeAllConnections();
    backend.close();
  }

  function addStart(one: Starts): void {
    add({
      name: `from the start to the first response, ${services} in Consul`,
      unit: 'ms',
      ...spreadOf(one.tookMs),
      atMost: promised.serveMs,
    });
    const whole = one.memory.map(({ resident }) => resident / megabyte);
    add({
      name: `RSS of the whole tree, ${services}, one worker`,
      unit: 'MB',
      ...spreadOf(whole),
      atMost: promised.wholeMb,
    });
    const shared = one.memory.map(({ proportional }) => proportional / megabyte);
    add({ name: `PSS of the whole tree, ${services}, one worker`, unit: 'MB', ...spreadOf(shared) });
  }
}

interface Starts {
  readonly tookMs: readonly number[];
  readonly memory: readonly Memory[];
}

/** The first start is not counted: it compiles the sources and keeps them in DATA_DIR. */
async function startsOf(consul: string, count: number, workers: number, times: number): Promise<Starts> {
  const [admin = 0, entry = 0] = await freePorts(2);
  const tookMs: number[] = [];
  const memory: Memory[] = [];
  let beganMs = performance.now();
  const proxy = startSwarmgate(['proxy'], {
    env: {
      ...allocatorSettings(),
      CONSUL_HTTP_ADDR: consul,
      ADMIN_PORT: String(admin),
      DEFAULT_PORTS: String(entry),
      WORKERS: String(workers),
    },
    ownCompileCache: true,
  });
  try {
    for (let run = 0; run <= times; run += 1) {
      if (run > 0) {
        beganMs = performance.now();
        proxy.start();
      }
      const url = `http://127.0.0.1:${entry}/other-${count - 1}`;
      const isServed = async () => (await send({ url, timeoutMs: 1_000 })).status === 200;
      await until('the last service is served', isServed, { everyMs: 5, withinMs: 60_000 });
      const ms = performance.now() - beganMs;
      // The snapshot is written, workers have reported, and what the start left behind is collected.
      await pause(settleMs);
      if (run > 0) {
        tookMs.push(ms);
        memory.push(memoryOfTree(proxy.pid ?? 0));
        if (process.env.BENCH_DETAIL) console.error(ms, JSON.stringify(memory.at(-1), null, 1));
      }
      await proxy.stop();
      proxy.forgetSnapshot();
    }
  } finally {
    await proxy.remove();
  }
  return { tookMs, memory };
}

if (import.meta.main) await benchStart({ quick: process.argv.includes('--quick'), say: (line) => console.log(line) });
