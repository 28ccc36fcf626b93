/**
 * Several real Docker engines on one machine, each in network and UTS namespaces of its own, joined by a bridge into one
 * Swarm, reachable from this machine by their addresses. Needs root on Linux.
 *
 *   const lab = await startNodes({ managers: 3 });
 *   await lab.nodes[1].cut();  await lab.nodes[1].heal();  await lab.nodes[0].kill();  await lab.nodes[0].start();
 *   await lab.remove();
 */
import { execFile, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Docker from 'dockerode';
import { until } from './until.ts';

const run = promisify(execFile);

export interface SwarmNode {
  readonly name: string;
  /** On the bridge; published ports respond there. */
  readonly address: string;
  readonly docker: Docker;
  /** `unix://…`, for `DOCKER_HOST`. */
  readonly dockerHost: string;
  start(): Promise<void>;
  /** SIGTERM: the engine ends its containers. */
  stop(): Promise<void>;
  /** SIGKILL for the engine and its containerd. */
  kill(): Promise<void>;
  /** Takes the node off the bridge; its engine keeps running. */
  cut(): Promise<void>;
  heal(): Promise<void>;
  /** Copies an image from another engine. */
  loadImage(from: Docker, image: string): Promise<void>;
}

export interface SwarmNodes {
  readonly nodes: readonly [SwarmNode, ...SwarmNode[]];
  remove(): Promise<void>;
}

export async function startNodes(options: {
  readonly managers: number;
  readonly workers?: number;
}): Promise<SwarmNodes> {
  const id = `sgn${randomBytes(2).toString('hex')}`;
  // Of the range that is set aside for tests between networks (RFC 2544), so that nothing real is hidden.
  const subnet = `198.18.${randomInt(1, 255)}`;
  const directory = mkdtempSync(join(tmpdir(), `${id}-`));
  const count = options.managers + (options.workers ?? 0);
  const engines = Array.from({ length: count }, (_, index) => describeEngine(id, directory, subnet, index + 1));
  const remove = async () => {
    await Promise.all(engines.map((engine) => removeEngine(engine)));
    await run('ip', ['link', 'del', `${id}up`]).catch(() => undefined);
    for (const namespace of [...engines.map((engine) => engine.namespace), `${id}lan`]) {
      await run('ip', ['netns', 'del', namespace]).catch(() => undefined);
    }
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await joinByBridge(id, subnet, engines);
    await Promise.all(engines.map((engine) => startEngine(engine)));
    await formSwarm(engines, options.managers);
  } catch (error) {
    await remove();
    throw error;
  }
  return { nodes: engines.map((engine) => nodeOf(id, engine)) as [SwarmNode, ...SwarmNode[]], remove };
}

interface Engine {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  readonly directory: string;
  readonly socket: string;
  readonly pidFile: string;
  /** Parent of its containers' control groups: finds those that outlive a killed engine. */
  readonly controlGroup: string;
  readonly docker: Docker;
}

function describeEngine(id: string, parent: string, subnet: string, number: number): Engine {
  const directory = join(parent, `n${number}`);
  const socket = join(directory, 'docker.sock');
  return {
    name: `node${number}`,
    namespace: `${id}n${number}`,
    address: `${subnet}.${10 + number}`,
    directory,
    socket,
    pidFile: join(directory, 'docker.pid'),
    controlGroup: `${id}n${number}`,
    docker: new Docker({ socketPath: socket }),
  };
}

function nodeOf(id: string, engine: Engine): SwarmNode {
  const link = (state: 'up' | 'down') => run('ip', ['-n', `${id}lan`, 'link', 'set', `${engine.namespace}p`, state]);
  return {
    name: engine.name,
    address: engine.address,
    docker: engine.docker,
    dockerHost: `unix://${engine.socket}`,
    start: () => startEngine(engine),
    stop: () => stopEngine(engine, 'SIGTERM'),
    kill: () => stopEngine(engine, 'SIGKILL'),
    cut: async () => {
      await link('down');
    },
    heal: async () => {
      await link('up');
    },
    loadImage: async (from, image) => {
      const saved = await from.getImage(image).get();
      const progress = await engine.docker.loadImage(saved);
      await new Promise<void>((resolve, reject) => {
        engine.docker.modem.followProgress(progress, (error) => (error === null ? resolve() : reject(error)));
      });
    },
  };
}

/** The bridge lives in a namespace of its own, so this machine's firewall and routes are not consulted about the nodes' traffic. */
async function joinByBridge(id: string, subnet: string, engines: readonly Engine[]): Promise<void> {
  const lan = `${id}lan`;
  const ip = (...args: readonly string[]) => run('ip', [...args]);
  await ip('netns', 'add', lan);
  await ip('-n', lan, 'link', 'add', 'br0', 'type', 'bridge');
  await ip('-n', lan, 'link', 'set', 'br0', 'up');
  await ip('link', 'add', `${id}up`, 'type', 'veth', 'peer', 'name', 'uplink', 'netns', lan);
  await ip('-n', lan, 'link', 'set', 'uplink', 'master', 'br0', 'up');
  await ip('addr', 'add', `${subnet}.1/24`, 'dev', `${id}up`);
  await ip('link', 'set', `${id}up`, 'up');
  for (const { namespace, address } of engines) {
    await ip('netns', 'add', namespace);
    await ip('-n', namespace, 'link', 'set', 'lo', 'up');
    await ip('link', 'add', `${namespace}p`, 'netns', lan, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    await ip('-n', lan, 'link', 'set', `${namespace}p`, 'master', 'br0', 'up');
    await ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    // No default route: a way out that leads nowhere makes each look-up of an image hang for half a minute.
    await ip('-n', namespace, 'link', 'set', 'eth0', 'up');
  }
}

async function startEngine(engine: Engine): Promise<void> {
  mkdirSync(engine.directory, { recursive: true });
  rmSync(engine.pidFile, { force: true });
  const configFile = join(engine.directory, 'daemon.json');
  // The engine's key would be shared by all engines of the machine otherwise, and with it their identity.
  writeFileSync(configFile, JSON.stringify({ 'deprecated-key-path': join(engine.directory, 'key.json') }));
  const dockerd = [
    'dockerd',
    ...['--config-file', configFile, '--host', `unix://${engine.socket}`, '--pidfile', engine.pidFile],
    ...['--data-root', join(engine.directory, 'data'), '--exec-root', join(engine.directory, 'run')],
    ...['--cgroup-parent', `/${engine.controlGroup}`, '--shutdown-timeout', '5'],
  ];
  const log = openSync(logFile(engine), 'a');
  // `ip netns exec` would mount another /sys, in which dockerd does not find its control groups.
  const child = spawn(
    'nsenter',
    [
      `--net=/run/netns/${engine.namespace}`,
      ...['unshare', '--uts', 'sh', '-c', 'hostname "$1"; shift; exec "$@"', 'sh', engine.name],
      ...dockerd,
    ],
    { detached: true, stdio: ['ignore', log, log] },
  );
  child.unref();
  try {
    await until(`${engine.name} responds`, () => engine.docker.ping().then(() => true), { withinMs: 60_000 });
  } catch (error) {
    const said = existsSync(logFile(engine)) ? readFileSync(logFile(engine), 'utf8').slice(-2000) : '';
    throw new Error(`${engine.name} did not start:\n${said}`, { cause: error });
  }
}

function logFile(engine: Engine): string {
  return join(engine.directory, 'dockerd.log');
}

async function formSwarm(engines: readonly Engine[], managers: number): Promise<void> {
  const [first, ...others] = engines;
  if (first === undefined) throw new Error('a Swarm needs at least one manager');
  await first.docker.swarmInit({ AdvertiseAddr: first.address, ListenAddr: '0.0.0.0:2377' });
  const swarm = (await first.docker.swarmInspect()) as { readonly JoinTokens: { Manager: string; Worker: string } };
  for (const [index, engine] of others.entries()) {
    await engine.docker.swarmJoin({
      RemoteAddrs: [`${first.address}:2377`],
      JoinToken: index + 1 < managers ? swarm.JoinTokens.Manager : swarm.JoinTokens.Worker,
      AdvertiseAddr: engine.address,
      ListenAddr: '0.0.0.0:2377',
    });
  }
}

async function stopEngine(engine: Engine, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const pid = pidIn(engine.pidFile);
  if (pid === undefined) return;
  const containerdPidFile = join(engine.directory, 'run', 'containerd', 'containerd.pid');
  const containerd = pidIn(containerdPidFile);
  sendSignal(pid, signal);
  await until(`${engine.name} has ended`, () => !isRunning(pid), { withinMs: 40_000 });
  // It ends with an engine that stops, not with one that is killed; and a new engine would take a dying one for its own.
  if (containerd !== undefined) {
    sendSignal(containerd, signal);
    await until(`containerd of ${engine.name} has ended`, () => !isRunning(containerd));
  }
  // Where process 1 reaps no orphans, the dead one keeps its number, which dockerd takes for life.
  rmSync(containerdPidFile, { force: true });
  rmSync(engine.pidFile, { force: true });
}

async function removeEngine(engine: Engine): Promise<void> {
  const containers = await engine.docker.listContainers({ all: true }).catch(() => []);
  await engine.docker.swarmLeave({ force: true }).catch(() => undefined);
  await Promise.all(
    containers.map((each) => engine.docker.getContainer(each.Id).remove({ force: true, v: true })),
  ).catch(() => undefined);
  await stopEngine(engine, 'SIGTERM');
  // What a killed engine left behind: containers by their control group, shims by the directory in their command line.
  for (const pid of [...processesOfControlGroup(engine.controlGroup), ...processesNaming(`${engine.directory}/`)]) {
    sendSignal(pid, 'SIGKILL');
  }
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  const ours = mounts.map((line) => line.split(' ')[1] ?? '').filter((path) => path.startsWith(`${engine.directory}/`));
  for (const path of ours.toSorted().toReversed()) await run('umount', ['-l', path]).catch(() => undefined);
}

function pidIn(file: string): number | undefined {
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
}

function processesOfControlGroup(name: string): number[] {
  return processes().filter((pid) => readProc(pid, 'cgroup').includes(`/${name}/`));
}

function processesNaming(path: string): number[] {
  return processes().filter((pid) => readProc(pid, 'cmdline').includes(path));
}

function processes(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid);
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function isRunning(pid: number): boolean {
  // An ended process that is never waited for keeps its entry, as a zombie.
  const status = readProc(pid, 'status');
  return status !== '' && !/^State:\s+Z/m.test(status);
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}
