import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { chosenCases } from './chosen-cases.ts';
import { type BenchCase, benchCases, type SubjectName } from './forwarding/cases.ts';
import { load } from './forwarding/load.ts';
import { cpuMicroseconds, ready, residentBytes } from './forwarding/process-tree.ts';
import { type Spread, spreadOf } from './forwarding/statistics.ts';
import { isInstalled, type Subject, startBench } from './forwarding/subjects.ts';
import { validate } from './forwarding/validate.ts';

export interface ForwardingResult {
  readonly case: BenchCase;
  readonly subject: SubjectName;
  /** CPU of the whole process tree, in microseconds for each request. */
  readonly cost: Spread;
  /** To the case's baseline in the same rotation. Absent where that is not there. */
  readonly ratio: Spread | undefined;
  readonly residentBytes: number;
  readonly failed: number;
}

export interface ForwardingBench {
  readonly results: readonly ForwardingResult[];
  readonly missing: readonly string[];
  readonly rotations: number;
}

export interface BenchOptions {
  /** Four rotations instead of ten, to see that it runs: no figures to publish. */
  readonly quick: boolean;
  /** Parts of case names; empty for all. */
  readonly only: readonly string[];
  readonly say: (line: string) => void;
}

const slotSeconds = 1;

/**
 * CPU for each forwarded request, side by side: every proxy is up, responses are validated, then one-second slots rotate
 * through all of them, so that a noisy neighbour disturbs every one alike. Wall-clock throughput is not reported: on a
 * shared machine it is noise.
 */
export async function benchForwarding({ quick, only, say }: BenchOptions): Promise<ForwardingBench> {
  for (const program of ['wrk', 'nginx', 'openssl'])
    if (!isInstalled(program)) throw new Error(`the benchmark needs ${program}: apt-get install ${program}`);
  const rotations = quick ? 4 : 10;
  const twoCores = availableParallelism() > 1 && isInstalled('taskset');
  const cores = { proxies: twoCores ? 0 : undefined, load: twoCores ? 1 : undefined };
  const directory = await mkdtemp(join(tmpdir(), 'swarmgate-bench-'));
  // nginx started as root reads its files as nobody. Keys in there have modes of their own.
  await chmod(directory, 0o755);
  const cases = chosenCases(benchCases(directory), only);
  const bench = await startBench(directory, new Set(cases.flatMap(({ subjects }) => subjects)), cores);
  try {
    const results: ForwardingResult[] = [];
    for (const of of cases) {
      const subjects = bench.subjects.filter(({ name }) => of.subjects.includes(name));
      say(`${of.name}: ${subjects.map(({ name }) => name).join(', ')}`);
      for (const subject of subjects) await ready(subject.name, subject.running, () => validate(subject, of));
      results.push(...(await measure(of, subjects, rotations, cores.load)));
      for (const { subject, cost, ratio } of results.filter((each) => each.case === of))
        say(`  ${subject}: ${cost.median.toFixed(1)} µs${ratio === undefined ? '' : `, × ${ratio.median.toFixed(2)}`}`);
    }
    return { results, missing: bench.missing, rotations };
  } finally {
    await bench.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(
  of: BenchCase,
  subjects: readonly Subject[],
  rotations: number,
  core: number | undefined,
): Promise<ForwardingResult[]> {
  const costs = new Map<SubjectName, number[]>(subjects.map(({ name }) => [name, []]));
  const failed = new Map<SubjectName, number>(subjects.map(({ name }) => [name, 0]));
  const resident = new Map<SubjectName, number>();
  // What warms connections and compilers up is not counted.
  for (let rotation = -(of.warmUps ?? 1); rotation < rotations; rotation++) {
    // Every second time the other way round: what runs behind a costlier one finds other caches and a warmer processor.
    for (const { name, port, running } of rotation % 2 === 0 ? subjects : subjects.toReversed()) {
      const before = cpuMicroseconds(running.pid);
      const done = await load(port, of, slotSeconds, core);
      const spent = cpuMicroseconds(running.pid) - before;
      resident.set(name, residentBytes(running.pid));
      if (rotation < 0) continue;
      costs.get(name)?.push(spent / done.requests);
      failed.set(name, (failed.get(name) ?? 0) + done.failed);
    }
  }
  const baseline = of.baseline ?? subjects.find(({ name }) => name.startsWith('HAProxy'))?.name;
  const baselineCosts = baseline === undefined ? undefined : costs.get(baseline);
  return subjects.map(({ name }) => {
    const own = costs.get(name) ?? [];
    const ratios = baselineCosts?.map((cost, at) => (own[at] as number) / cost);
    return {
      case: of,
      subject: name,
      cost: spreadOf(own),
      ratio: ratios === undefined ? undefined : spreadOf(ratios),
      residentBytes: resident.get(name) ?? 0,
      failed: failed.get(name) ?? 0,
    };
  });
}
