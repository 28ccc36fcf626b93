import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { workerFlags } from '../../packages/proxy/src/control/workers/worker-flags.ts';
import { chosenCases } from './chosen-cases.ts';
import type { Flood } from './floods/attack.ts';
import type { EndpointPorts } from './floods/flood-endpoint.ts';
import type { FloodPorts, ProxyReport } from './floods/flooded-proxy.ts';
import { floods } from './floods/kinds.ts';
import type { ProbeOrder, ProbeProtocol, ProbeReport } from './floods/probe.ts';
import { residentBytes } from './forwarding/process-tree.ts';
import { spreadOf } from './forwarding/statistics.ts';

/** What the system holds for the proxy because of the flood: the connections of the measured client are left out. */
interface Held {
  readonly connections: number;
  readonly descriptors: number;
  readonly residentBytes: number;
}

/** One kind of flood. Times in milliseconds. */
export interface FloodResult {
  readonly flood: Flood;
  readonly quietP99: number;
  readonly p99: number;
  readonly failed: number;
  /** Why the failed ones did. */
  readonly causes: readonly string[];
  readonly cpuShare: number;
  /** Of the time of the thread that serves: it ran, or was ready to and waited for its core. */
  readonly ranShare: number;
  readonly waitedShare: number;
  /** Of the time of the proxy's core: other programs had it. */
  readonly othersShare: number;
  readonly report: ProxyReport;
  readonly before: Held & { readonly liveBytes: number };
  readonly during: Held;
  readonly after: Held & { readonly liveBytes: number };
  /** Until connections and descriptors were back; `undefined`: they were not within `backWithinMs`. */
  readonly backAfterMs: number | undefined;
}

export interface FloodsOptions {
  readonly quick: boolean;
  /** Parts of names; empty for all. */
  readonly only: readonly string[];
  readonly say: (line: string) => void;
}

/** `BENCH_FLOODED=haproxy`: HAProxy is flooded instead. */
const beside = process.env.BENCH_FLOODED;
const cores = { proxy: 0, others: 1 };
const slotMs = 1_000;
/** Until the code of a protocol is compiled, in all processes that its requests pass. */
const warmMs = 3_000;
const backWithinMs = 10_000;
const here = (file: string) => fileURLToPath(new URL(`floods/${file}`, import.meta.url));

/**
 * Another client beside every kind of flood. The proxy has a core for itself; flood, endpoints and the measured client share
 * the other one, on which the client and its endpoint go first (SCHED_FIFO): they do not wait for the flood's process, so what the
 * client measures is the proxy and the network.
 */
export async function benchFloods({ quick, only, say }: FloodsOptions): Promise<readonly FloodResult[]> {
  if (availableParallelism() < 2) throw new Error('the floods need two cores');
  const [ofFlood, ofProbe] = await Promise.all([
    started<EndpointPorts>('flood-endpoint.ts', []),
    started<EndpointPorts>('flood-endpoint.ts', [], { first: true }),
  ]);
  const proxy = await started<FloodPorts>(
    beside === undefined ? 'flooded-proxy.ts' : 'flooded-haproxy.ts',
    [ofFlood.first, ofProbe.first].map((each) => JSON.stringify(each)),
    { core: cores.proxy, flags: [...workerFlags, ...(process.env.BENCH_FLAGS ?? '').split(' ').filter(Boolean)] },
  );
  const ports = JSON.stringify(proxy.first);
  const proxyPid = proxy.first.pid ?? proxy.child.pid ?? 0;
  const probe = await started('probe.ts', [ports], { first: true });
  const measured = (protocol: ProbeProtocol, ms = slotMs, everyMs = 2) =>
    called<ProbeReport>(probe.child, { protocol, ms, everyMs } satisfies ProbeOrder);
  const reported = (order: 'report' | 'collect') => called<ProxyReport>(proxy.child, order);
  const held = () => heldBy(proxyPid, proxy.first);
  try {
    const chosen = chosenCases(floods, only);
    for (const protocol of new Set(chosen.map(({ probe: by = 'HTTP/1.1' }) => by)))
      await measured(protocol, warmMs, 0.25);
    const results: FloodResult[] = [];
    for (const flood of chosen) {
      const protocol = flood.probe ?? 'HTTP/1.1';
      const quiet = p99(await measured(protocol));
      const before = { liveBytes: (await reported('collect')).liveBytes, ...held() };
      const { child: attacker } = await started<'started'>('attacker.ts', [ports, flood.name], {});
      await pause(quick ? 500 : 1_000);
      await reported('report');
      const beganMs = performance.now();
      const began = scheduledOf(proxyPid);
      const beganBusyMs = busyMsOf(cores.proxy);
      const slots: ProbeReport[] = [];
      const during: Held[] = [];
      for (let slot = 0; slot < (quick ? 1 : 3); slot++) {
        slots.push(await measured(protocol));
        during.push(held());
      }
      const ended = scheduledOf(proxyPid);
      const busyMs = busyMsOf(cores.proxy) - beganBusyMs;
      const tookMs = performance.now() - beganMs;
      const report = await reported('report');
      attacker.disconnect();
      attacker.kill('SIGKILL');
      await once(attacker, 'exit');
      const endedMs = performance.now();
      let backAfterMs: number | undefined;
      while (backAfterMs === undefined && performance.now() - endedMs < backWithinMs) {
        const now = held();
        if (now.connections <= before.connections && now.descriptors <= before.descriptors + spareDescriptors)
          backAfterMs = performance.now() - endedMs;
        else await pause(50);
      }
      const after = { liveBytes: (await reported('collect')).liveBytes, ...held() };
      const most = (of: keyof Held) => Math.max(...during.map((each) => each[of]));
      results.push({
        flood,
        quietP99: quiet,
        p99: spreadOf(slots.map(p99)).median,
        failed: slots.reduce((sum, { failed }) => sum + failed, 0),
        causes: [...new Set(slots.flatMap(({ causes }) => causes))],
        cpuShare: report.cpuMs / tookMs,
        ranShare: (ended.ranMs - began.ranMs) / tookMs,
        waitedShare: (ended.waitedMs - began.waitedMs) / tookMs,
        othersShare: Math.max(0, busyMs - report.cpuMs) / tookMs,
        report,
        before,
        during: {
          connections: most('connections'),
          descriptors: most('descriptors'),
          residentBytes: most('residentBytes'),
        },
        after,
        backAfterMs,
      });
      say(lineOf(results.at(-1) as FloodResult));
    }
    return results;
  } finally {
    for (const { child } of [probe, proxy, ofFlood, ofProbe]) child.disconnect();
    await once(proxy.child, 'exit');
  }
}

/** Idle connections to endpoints that the pool keeps for the next requests. */
const spareDescriptors = 80;

interface Place {
  readonly core?: number;
  /** Goes before the others of its core. */
  readonly first?: true;
  readonly flags?: readonly string[];
}

function start(file: string, args: readonly string[], { core = cores.others, first, flags = [] }: Place): ChildProcess {
  // Without the right to it (root, CAP_SYS_NICE) they share the core as equals, and the figures are higher.
  const scheduling = first === true ? ['chrt', '-f', '50'] : core === cores.proxy ? ['nice', '-n', '-20'] : [];
  const pinned = [...(mayGoFirst() ? scheduling : []), 'taskset', '-c', String(core), process.execPath];
  // A thread that goes first waits for its helpers in a loop, which then never have their turn.
  const [execPath = '', ...execArgv] = [...pinned, ...(first === true ? ['--single-threaded'] : flags)];
  return fork(here(file), [...args], { execPath, execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

const mayGoFirst = () => spawnSync('chrt', ['-f', '50', 'true']).status === 0;

async function started<T>(file: string, args: readonly string[], place: Place = {}) {
  const child = start(file, args, place);
  const first = await Promise.race([
    once(child, 'message').then(([message]) => message as T),
    once(child, 'exit').then(() => Promise.reject(new Error(`${file} ended`))),
  ]);
  return { child, first };
}

async function called<T>(child: ChildProcess, order: string | object): Promise<T> {
  const reply = once(child, 'message');
  child.send(order);
  const [message] = await reply;
  return message as T;
}

/** Of the main thread of a process. */
function scheduledOf(pid: number): { readonly ranMs: number; readonly waitedMs: number } {
  const [ran = 0, waited = 0] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ').map(Number);
  return { ranMs: ran / 1e6, waitedMs: waited / 1e6 };
}

/** How long a core has been busy since the system started, in steps of 10 ms; with what the host of a virtual machine took. */
function busyMsOf(core: number): number {
  const row = readFileSync('/proc/stat', 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`cpu${core} `));
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] =
    row?.split(' ').slice(1).map(Number) ?? [];
  return 10 * (user + nice + system + irq + softirq + stolen);
}

/** Client connections are those whose own end is a port of the proxy; those of the flood come from an address of their own. */
function heldBy(pid: number, ports: FloodPorts): Held {
  const own = new Set<number>(Object.values(ports));
  const ofFlood = new Set<string>();
  const ofOthers = new Set<string>();
  for (const file of ['tcp', 'tcp6'])
    for (const row of readFileSync(`/proc/net/${file}`, 'utf8').trim().split('\n').slice(1)) {
      const [, local = '', remote = '', state, , , , , , inode = ''] = row.trim().split(/\s+/);
      if (state !== listening && own.has(Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16)))
        (remote.includes(floodAddress) ? ofFlood : ofOthers).add(`socket:[${inode}]`);
    }
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      // Closed since it was listed.
      return undefined;
    }
  });
  const there = links.filter((link) => link !== undefined);
  const of = (sockets: ReadonlySet<string>) => there.filter((link) => sockets.has(link)).length;
  return {
    connections: of(ofFlood),
    descriptors: there.length - of(ofOthers),
    residentBytes: residentBytes(pid),
  };
}

const listening = '0A';
/** 127.0.0.2, as the system writes it. */
const floodAddress = '0200007F:';

function p99({ tookMs }: ProbeReport): number {
  return tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * 0.99))] ?? Number.NaN;
}

const mb = (bytes: number) => (bytes / 2 ** 20).toFixed(0);
const ofThree = (result: FloodResult, of: (held: Held) => string | number) =>
  [result.before, result.during, result.after].map(of).join(' / ');

function cellsOf(result: FloodResult, quietMs: number): readonly string[] {
  const {
    flood,
    p99: flooded,
    failed,
    causes,
    cpuShare,
    ranShare,
    waitedShare,
    othersShare,
    report,
    before,
    after,
    backAfterMs,
  } = result;
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  const ratio = flooded / quietMs;
  const judged = flood.isHonest === true ? '' : ratio < mostOfQuiet ? ' ✓' : ' ✗';
  return [
    flood.name,
    quietMs.toFixed(2),
    `${flooded.toFixed(2)}${failed > 0 ? `, ${failed} failed (${causes.join(', ')})` : ''}`,
    `${ratio.toFixed(1)}${judged}`,
    `${percent(cpuShare)}, ${percent(othersShare)}`,
    `${percent(ranShare)}, ${percent(waitedShare)}`,
    `${report.turns.p99.toFixed(2)}, ${report.turns.max.toFixed(1)}`,
    report.longestCollectionMs.toFixed(1),
    ofThree(result, ({ connections }) => connections),
    ofThree(result, ({ descriptors }) => descriptors),
    ofThree(result, (held) => mb(held.residentBytes)),
    `${mb(before.liveBytes)} / ${mb(after.liveBytes)}`,
    backAfterMs === undefined ? 'not within 10 s' : (backAfterMs / 1_000).toFixed(1),
  ];
}

/** The goal: of the quiet p99. */
const mostOfQuiet = 2;

export function floodsSection(results: readonly FloodResult[], machine: string): string {
  const rows = results.map((result) => {
    const same = results.filter(({ flood }) => flood.probe === result.flood.probe);
    return `| ${cellsOf(result, spreadOf(same.map(({ quietP99 }) => quietP99)).median).join(' | ')} |`;
  });
  return [
    `Machine: ${machine}. The other client sends 500 requests a second, for 3 seconds of each flood; quiet: the median of the seconds before each flood on the same protocol.`,
    '',
    `| flood | quiet p99 ms | p99 ms | ratio (goal: ${mostOfQuiet}) | CPU, others on its core | its thread ran, waited for the core | turns of the event loop, p99, most ms | longest collection ms | connections of the flood before / most / after | descriptors | resident MB | live MB before / after | back after s |`,
    '|---|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function lineOf(result: FloodResult): string {
  return cellsOf(result, result.quietP99).join(' | ');
}
