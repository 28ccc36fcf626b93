import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { chosenCases } from './chosen-cases.ts';
import { type BenchCase, benchHost, type SubjectName, smallBody } from './forwarding/cases.ts';
import { cpuMicroseconds, ready } from './forwarding/process-tree.ts';
import { spreadOf } from './forwarding/statistics.ts';
import { type Cores, isInstalled, type Subject, startBench } from './forwarding/subjects.ts';
import { validate } from './forwarding/validate.ts';
import { routingSection } from './report.ts';
import type { Figure } from './routing.ts';
import { benchControlWork } from './tails/control-work.ts';
import { type Latencies, pace, saturate } from './tails/latencies.ts';
import { type LoopReport, loopReports, probed } from './tails/loop-reports.ts';

/** One proxy under one kind of load; times in milliseconds, medians of the rotations. */
export interface TailsResult {
  readonly case: string;
  readonly subject: SubjectName;
  readonly cpuMicroseconds: number;
  readonly p50: number;
  readonly p99: number;
  /** At 70 % of the rate that it reached. `undefined` where every request has its own connection. */
  readonly pacedP99: number | undefined;
  /** Of the processes of Swarmgate: event loop and garbage collection under the saturating load. */
  readonly loops: readonly LoopReport[];
}

const subjects: readonly SubjectName[] = ['Swarmgate', 'Swarmgate, one worker', 'HAProxy', 'nginx'];
const host = `Host: ${benchHost}`;
const cases = [
  { name: '32 connections', connections: 32, headers: [host], closes: false },
  { name: '256 connections', connections: 256, headers: [host], closes: false },
  { name: 'connection per request', connections: 32, headers: [host, 'Connection: close'], closes: true },
] as const;
const slotSeconds = 2;
const share = 0.7;

export interface TailsOptions {
  readonly quick: boolean;
  /** Parts of case names; empty for all. */
  readonly only: readonly string[];
  readonly say: (line: string) => void;
}

export interface TailsBench {
  readonly results: readonly TailsResult[];
  /** What work of the control process adds. */
  readonly added: readonly Figure[];
}

export async function benchTails({ quick, only, say }: TailsOptions): Promise<TailsBench> {
  for (const program of ['wrk', 'h2load'])
    if (!isInstalled(program)) throw new Error(`the benchmark needs ${program} (packages wrk, nghttp2-client)`);
  const twoCores = availableParallelism() > 1 && isInstalled('taskset');
  const cores = { proxies: twoCores ? 0 : undefined, load: twoCores ? 1 : undefined };
  const results = await benchProxies({ quick, only, say, cores });
  return { results, added: await benchControlWork({ quick, only, say, cores }) };
}

/** Where the slowest of a hundred requests spend their time: all proxies on one core, in turns, beside the load on another. */
async function benchProxies({
  quick,
  only,
  say,
  cores,
}: TailsOptions & { readonly cores: Pick<Cores, 'proxies' | 'load'> }): Promise<readonly TailsResult[]> {
  const chosen = chosenCases(cases, only);
  if (chosen.length === 0) return [];
  const directory = await mkdtemp(join(tmpdir(), 'swarmgate-tails-'));
  await chmod(directory, 0o755);
  const reports = join(directory, 'loops');
  await writeFile(reports, '');
  Object.assign(process.env, probed(reports));
  const bench = await startBench(directory, new Set(subjects), { ...cores, pinsWorkers: true, backendFirst: true });
  try {
    const results: TailsResult[] = [];
    for (const of of chosen) {
      say(of.name);
      const plain: BenchCase = {
        ...of,
        closes: undefined,
        path: '/small',
        bodyBytes: smallBody.length,
        subjects,
      } as never;
      for (const subject of bench.subjects) await ready(subject.name, subject.running, () => validate(subject, plain));
      const rotations = quick ? 2 : 5;
      const measured = await measure(of, bench.subjects, { rotations, core: cores.load, directory, reports });
      for (const result of measured) say(`  ${lineOf(result)}`);
      results.push(...measured);
    }
    return results;
  } finally {
    await bench.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

interface Measuring {
  readonly rotations: number;
  readonly core: number | undefined;
  readonly directory: string;
  readonly reports: string;
}

async function measure(
  of: (typeof cases)[number],
  proxies: readonly Subject[],
  { rotations, core, directory, reports }: Measuring,
): Promise<readonly TailsResult[]> {
  const found = new Map(
    proxies.map(({ name }) => [name, { full: [] as Latencies[], paced: [] as number[], cpu: [] as number[] }]),
  );
  const loops = new Map<SubjectName, LoopReport[]>();
  for (let rotation = -2; rotation < rotations; rotation++)
    for (const { name, port, running } of rotation % 2 === 0 ? proxies : proxies.toReversed()) {
      const options = { port, connections: of.connections, headers: of.headers, seconds: slotSeconds, core };
      await reportsOf(running.pid, name, reports);
      const before = cpuMicroseconds(running.pid);
      const full = await saturate(options);
      const spent = cpuMicroseconds(running.pid) - before;
      const said = await reportsOf(running.pid, name, reports);
      const rate = (full.requests / slotSeconds) * share;
      const paced = of.closes ? undefined : await pace(options, rate, join(directory, 'requests.log'));
      if (rotation < 0) continue;
      const figures = found.get(name);
      figures?.full.push(full);
      figures?.cpu.push(spent / full.requests);
      if (paced !== undefined) figures?.paced.push(paced.p99);
      if (said.length > 0) loops.set(name, said);
    }
  return proxies.map(({ name }) => {
    const { full = [], paced = [], cpu = [] } = found.get(name) ?? {};
    return {
      case: of.name,
      subject: name,
      cpuMicroseconds: spreadOf(cpu).median,
      p50: spreadOf(full.map(({ p50 }) => p50)).median,
      p99: spreadOf(full.map(({ p99 }) => p99)).median,
      pacedP99: paced.length === 0 ? undefined : spreadOf(paced).median,
      loops: loops.get(name) ?? [],
    };
  });
}

/** Of the process and of its worker; none of another program. */
async function reportsOf(pid: number, name: SubjectName, file: string): Promise<LoopReport[]> {
  return name.startsWith('Swarmgate') ? loopReports(pid, name.includes('worker') ? 2 : 1, file) : [];
}

function lineOf({ subject, cpuMicroseconds: cpu, p50, p99, pacedP99, loops }: TailsResult): string {
  const paced = pacedP99 === undefined ? '' : `, p99 at 70 %: ${pacedP99.toFixed(2)} ms`;
  const turns = loops.map(loopText).join('; ');
  return `${subject}: ${cpu.toFixed(1)} µs, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms${paced}${turns && ` (${turns})`}`;
}

function loopText({ role, turns, pauses }: LoopReport): string {
  const gc = `${pauses.count} collections of ${pauses.totalMs.toFixed(0)} ms, most ${pauses.max.toFixed(1)} ms`;
  return `${role}: turns p99 ${turns.p99.toFixed(1)}, most ${turns.max.toFixed(1)} ms (${turns.busiest.toFixed(1)} of the processor), ${gc}`;
}

/** The goals: under saturating load, of its own median; at 70 %, of HAProxy's. */
const mostOfMedian = 2;
const mostOfHaproxy = 2;

export function tailsSection({ results, added }: TailsBench, machine: string): string {
  const rows = results.map((result) => {
    const { subject, cpuMicroseconds: cpu, p50, p99, pacedP99, loops } = result;
    const haproxy = results.find((each) => each.case === result.case && each.subject === 'HAProxy')?.pacedP99;
    const judged = (isKept: boolean) => (subject.startsWith('Swarmgate') ? (isKept ? ' ✓' : ' ✗') : '');
    const isPacedKept = haproxy === undefined || (pacedP99 ?? 0) <= mostOfHaproxy * haproxy;
    const cells = [
      result.case,
      subject,
      cpu.toFixed(1),
      p50.toFixed(2),
      `${p99.toFixed(2)}${judged(p99 <= mostOfMedian * p50)}`,
      pacedP99 === undefined ? '–' : `${pacedP99.toFixed(2)}${judged(isPacedKept)}`,
      loops.map(loopText).join('; '),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    `Machine: ${machine}. All proxies on one core, 5 rotations of two-second slots, medians; event loop and garbage collection of the last slot.`,
    '',
    `| case | proxy | CPU µs/request | p50 ms | p99 ms (goal: ${mostOfMedian} × p50) | p99 ms at 70 % of its rate (goal: ${mostOfHaproxy} × HAProxy’s) | processes of Swarmgate |`,
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
    // The machine is named above.
    ...routingSection(added, machine).split('\n').slice(2),
  ].join('\n');
}
