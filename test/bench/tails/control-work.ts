import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startConsul } from '../../harness/consul.ts';
import { freePorts } from '../../harness/free-ports.ts';
import { send } from '../../harness/http.ts';
import { startSwarmgate } from '../../harness/swarmgate-process.ts';
import { until } from '../../harness/until.ts';
import { fillRegistry } from '../changes.ts';
import { chosenCases } from '../chosen-cases.ts';
import { startSubject } from '../footprint/subject-process.ts';
import { benchHost } from '../forwarding/cases.ts';
import { backendConfiguration } from '../forwarding/configurations.ts';
import { type Running, start } from '../forwarding/process-tree.ts';
import { spreadOf } from '../forwarding/statistics.ts';
import { beforeOthers, selfSigned } from '../forwarding/subjects.ts';
import type { Figure } from '../routing.ts';
import { pace, saturate } from './latencies.ts';
import { loopReports, probed } from './loop-reports.ts';

export interface ControlWorkOptions {
  /** One rotation among 1,000 services, to see that it runs: no figures to publish. */
  readonly quick: boolean;
  /** Parts of case names; empty for all. */
  readonly only: readonly string[];
  readonly cores: { readonly proxies: number | undefined; readonly load: number | undefined };
  readonly say: (line: string) => void;
}

/** What the events of one second may add to the 99th percentile, in milliseconds. */
const mostAddedMs = 5;
const connections = 32;
const slotSeconds = 3;
const share = 0.7;

type Event = 'table swap' | 'full read' | 'certificate change' | 'snapshot';
const events: readonly Event[] = ['table swap', 'full read', 'certificate change', 'snapshot'];
const cases = ['0', '1'].flatMap((workers) =>
  events
    // The file is written by the same code in both.
    .filter((event) => workers === '0' || event !== 'snapshot')
    .map((event) => ({ name: `${event}, WORKERS=${workers}`, event, workers })),
);

/** A proxy under measurement, with what happens in it once a second. */
interface Subject {
  readonly pid: number;
  readonly port: number;
  readonly path: string;
  readonly happen: Readonly<Partial<Record<Event, (n: number) => Promise<void>>>>;
  stop(): Promise<void>;
}

/**
 * A steady load at 70 % of what the proxy reaches, while something happens in its control process every second: what that
 * adds to the 99th percentile. All processes of the proxy share one core; Consul gives way to the load on the other one.
 */
export async function benchControlWork(options: ControlWorkOptions): Promise<readonly Figure[]> {
  const { only, cores, say } = options;
  const chosen = chosenCases(cases, only);
  if (chosen.length === 0) return [];
  const directory = await mkdtemp(join(tmpdir(), 'swarmgate-control-work-'));
  await chmod(directory, 0o755);
  const [backendPort = 0, http2Port = 0] = await freePorts(2);
  const backend = start(
    'backend',
    [...beforeOthers(), 'nginx', '-c', backendConfiguration(directory, backendPort, http2Port)],
    { core: cores.load, directory },
  );
  const figures: Figure[] = [];
  const add = (more: readonly Figure[]) => {
    for (const { name, median, unit } of more) say(`  ${name}: ${median.toFixed(2)} ${unit}`);
    figures.push(...more);
  };
  try {
    const inConsul = chosen.filter(({ event }) => event !== 'snapshot');
    for (const workers of new Set(inConsul.map((each) => each.workers))) {
      const subject = await startProxy(workers, directory, backendPort, options);
      try {
        for (const each of inConsul.filter((of) => of.workers === workers))
          add(await measure(each, subject, directory, options));
      } finally {
        await subject.stop();
      }
    }
    for (const each of chosen.filter(({ event }) => event === 'snapshot')) {
      const subject = await startWriter(directory, backendPort, options);
      try {
        add(await measure(each, subject, directory, options));
      } finally {
        await subject.stop();
      }
    }
    return figures;
  } finally {
    await backend.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(
  { name, event, workers }: (typeof cases)[number],
  { pid, port, path, happen }: Subject,
  directory: string,
  { quick, cores }: ControlWorkOptions,
): Promise<readonly Figure[]> {
  const once = happen[event];
  if (once === undefined) throw new Error(`${event} is not known to this proxy`);
  const load = { port, connections, headers: [`Host: ${benchHost}`], seconds: slotSeconds, core: cores.load, path };
  const reports = join(directory, 'loops');
  const log = join(directory, 'requests.log');
  const without: number[] = [];
  const added: number[] = [];
  const turns: number[] = [];
  const { requests } = await saturate(load);
  const rate = (requests / slotSeconds) * share;
  await once(0);
  let times = 1;
  for (let rotation = 0; rotation < (quick ? 1 : 3); rotation++) {
    const quiet = await pace(load, rate, log);
    await loopReports(pid, Number(workers) + 1, reports);
    let isOver = false;
    const happening = (async () => {
      while (!isOver) await Promise.all([once(times++), pause(1_000)]);
    })();
    const disturbed = await pace(load, rate, log);
    isOver = true;
    await happening;
    const loops = await loopReports(pid, Number(workers) + 1, reports);
    without.push(quiet.p99);
    added.push(disturbed.p99 - quiet.p99);
    turns.push(loops.find(({ role }) => role === 'main')?.turns.busiest ?? Number.NaN);
  }
  return [
    { name: `${name}: p99 without it`, unit: 'ms', ...spreadOf(without) },
    { name: `${name}, every second: added to p99`, unit: 'ms', ...spreadOf(added), atMost: mostAddedMs },
    { name: `${name}: longest turn of the control process, of the processor’s time`, unit: 'ms', ...spreadOf(turns) },
  ];
}

/** A whole proxy with its services in Consul. */
async function startProxy(
  workers: string,
  directory: string,
  backendPort: number,
  { quick, cores }: ControlWorkOptions,
): Promise<Subject> {
  const count = quick ? 1_000 : 10_000;
  const isPinned = cores.load !== undefined;
  const consul = await startConsul(isPinned ? { through: ['nice', '-n', '19', ...pinnedTo(cores.load)] } : {});
  const [admin = 0, port = 0] = await freePorts(2);
  await fillRegistry(consul, backendPort, count);
  const reports = join(directory, 'loops');
  const proxy = startSwarmgate(['proxy'], {
    through: pinnedTo(cores.proxies),
    env: {
      ...probed(reports),
      CONSUL_HTTP_ADDR: consul.address,
      ADMIN_PORT: String(admin),
      DEFAULT_PORTS: String(port),
      WORKERS: workers,
      SECRETS_KEY: randomBytes(32).toString('base64'),
    },
  });
  const path = `/other-${count - 1}`;
  const isServed = async () => (await send({ url: `http://127.0.0.1:${port}${path}` })).status === 200;
  await until('the last service is served', isServed, { withinMs: 60_000 });
  const pems: string[] = [];
  for (let n = 0; n < 2; n++) {
    selfSigned(directory);
    pems.push(await readFile(join(directory, 'bench.pem'), 'utf8'));
  }
  const call = async (method: string, target: string, body?: string) => {
    const response = await fetch(`http://127.0.0.1:${admin}${target}`, {
      method,
      ...(body === undefined ? {} : { body }),
    });
    if (!response.ok) throw new Error(`${target}: ${response.status} ${await response.text()}`);
    await response.arrayBuffer();
  };
  const reconfigure = `/v1/docker-flow-proxy/reconfigure?serviceName=swapped&outboundHostname=127.0.0.1&port=${backendPort}`;
  return {
    pid: proxy.pid as number,
    port,
    path,
    happen: {
      'table swap': (n) => call('GET', `${reconfigure}&servicePath=/swapped-${n}`),
      'full read': () => call('POST', '/v1/reload'),
      'certificate change': (n) => call('PUT', '/v1/docker-flow-proxy/cert?certName=bench', pems[n % 2]),
    },
    async stop() {
      await proxy.remove();
      await consul.remove();
    },
  };
}

/** The proxy's server alone, with a table of 10,000 services that it writes to the disk: a proxy does so every 10 s at most. */
async function startWriter(
  directory: string,
  backendPort: number,
  { quick, cores }: ControlWorkOptions,
): Promise<Subject> {
  const reports = join(directory, 'loops');
  await writeFile(reports, '');
  const env = { ...probed(reports), WORKERS: '0', DATA_DIR: directory };
  const subject = await startSubject(backendPort, env, quick ? 1_000 : 10_000);
  if (cores.proxies !== undefined) {
    const pin: Running = start('pin', ['taskset', '-acp', String(cores.proxies), String(subject.pid)], {
      core: undefined,
      directory,
    });
    await pause(200);
    await pin.stop();
  }
  return {
    pid: subject.pid,
    port: subject.port,
    path: '/small',
    happen: { snapshot: () => subject.writeSnapshot() },
    stop: () => subject.stop(),
  };
}

function pinnedTo(core: number | undefined): readonly string[] {
  return core === undefined ? [] : ['taskset', '-c', String(core)];
}
