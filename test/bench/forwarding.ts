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
  /** Of the baseline's processes: the costliest by the cheapest, each by its median. Absent where it has one. */
  readonly control: number | undefined;
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
  const required = cases.flatMap(({ subjects }) => subjects);
  const bench = await startBench(directory, required, cores, (name) =>
    Math.max(...cases.filter(({ subjects }) => subjects.includes(name)).map(({ processes = 1 }) => processes)),
  );
  try {
    const results: ForwardingResult[] = [];
    for (const of of cases) {
      const subjects = processesOf(of, bench.subjects);
      say(`${of.name}: ${subjects.map(({ name }) => name).join(', ')}`);
      for (const subject of subjects) await ready(subject.name, subject.running, () => validate(subject, of));
      results.push(...(await measure(of, subjects, rotations, cores.load)));
      for (const { subject, cost, ratio } of results.filter((each) => each.case === of))
        say(`  ${subject}: ${cost.median.toFixed(1)} µs${ratio === undefined ? '' : `, × ${ratio.median.toFixed(3)}`}`);
    }
    return { results, missing: bench.missing, rotations };
  } finally {
    await bench.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** In turns: the first process of each subject, the second of each, and so on. */
function processesOf({ subjects, processes = 1 }: BenchCase, started: readonly Subject[]): readonly Subject[] {
  const chosen = started.filter(({ name }) => subjects.includes(name));
  const numberOf = (subject: Subject) => chosen.filter(({ name }) => name === subject.name).indexOf(subject);
  return chosen.filter((each) => numberOf(each) < processes).toSorted((one, other) => numberOf(one) - numberOf(other));
}

async function measure(
  of: BenchCase,
  subjects: readonly Subject[],
  rotations: number,
  core: number | undefined,
): Promise<ForwardingResult[]> {
  const costs = new Map<Subject, number[]>(subjects.map((subject) => [subject, []]));
  const failed = new Map<Subject, number>(subjects.map((subject) => [subject, 0]));
  const resident = new Map<Subject, number>();
  // What warms connections and compilers up is not counted.
  for (let rotation = -(of.warmUps ?? 1); rotation < rotations; rotation++) {
    // Every second time the other way round: what runs behind a costlier one finds other caches and a warmer processor.
    for (const subject of rotation % 2 === 0 ? subjects : subjects.toReversed()) {
      const { port, running } = subject;
      const before = cpuMicroseconds(running.pid);
      const done = await load(port, of, slotSeconds, core);
      const spent = cpuMicroseconds(running.pid) - before;
      resident.set(subject, residentBytes(running.pid));
      if (rotation < 0) continue;
      costs.get(subject)?.push(spent / done.requests);
      failed.set(subject, (failed.get(subject) ?? 0) + done.failed);
    }
  }
  const names = [...new Set(subjects.map(({ name }) => name))];
  const slotsOf = (name: SubjectName) =>
    subjects.filter((each) => each.name === name).map((each) => costs.get(each) as number[]);
  const baseline = of.baseline ?? names.find((name) => name.startsWith('HAProxy'));
  const baselineSlots = baseline === undefined ? [] : slotsOf(baseline);
  const baselineCosts = meansOf(baselineSlots);
  return names.map((name) => {
    const processes = subjects.filter((each) => each.name === name);
    const own = meansOf(slotsOf(name));
    const sum = (of: ReadonlyMap<Subject, number>) =>
      processes.reduce((total, each) => total + (of.get(each) as number), 0);
    return {
      case: of,
      subject: name,
      cost: spreadOf(own),
      ratio:
        baselineSlots.length === 0 ? undefined : spreadOf(baselineCosts.map((cost, at) => (own[at] as number) / cost)),
      control: controlOf(baselineSlots),
      residentBytes: sum(resident) / processes.length,
      failed: sum(failed),
    };
  });
}

/** Of each rotation, over the processes. */
function meansOf(slots: readonly (readonly number[])[]): readonly number[] {
  const [first = []] = slots;
  return first.map((_, at) => slots.reduce((sum, own) => sum + (own[at] as number), 0) / slots.length);
}

function controlOf(slots: readonly (readonly number[])[]): number | undefined {
  if (slots.length < 2) return undefined;
  const medians = slots.map((own) => spreadOf(own).median);
  return Math.max(...medians) / Math.min(...medians);
}
