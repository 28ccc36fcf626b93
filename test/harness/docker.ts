/**
 * A real Docker engine in Swarm mode for the tests that need one.
 *
 *   const engine = await ensureDocker();               // the engine that responds, else a dockerd of our own (root)
 *   const image = await importNodeImage(engine.docker);
 *   const network = await createOverlayNetwork(engine.docker, 'test-net');
 *   const id = await createService(engine.docker, { name: 'demo', image, networks: [network], labels: { … } });
 *   await waitForTasks(engine.docker, id, 2);
 *   await updateService(engine.docker, id, (spec) => ({ ...spec, Labels: { … } }));
 *   await removeService(engine.docker, id);
 *   await engine.stopIfStartedHere();                  // global teardown only: everyone on the machine shares the engine
 *
 * One engine at /var/run/docker.sock serves all suites (and all people) of a machine, so tests name what they create
 * with `uniqueName()` and remove it. `node test/harness/docker.ts` starts the engine and leaves it running.
 * A kernel without IPVS carries no VIP or ingress traffic: services are `dnsrr`, and ports are published in host mode.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Docker from 'dockerode';
import { cacheDirectory } from './cache.ts';
import { until } from './until.ts';

export { importNodeImage } from './node-image.ts';

export interface DockerEngine {
  readonly docker: Docker;
  /** This process started dockerd, so this process stops it. */
  readonly startedHere: boolean;
  stopIfStartedHere(): Promise<void>;
}

/** @throws when no engine responds and none can be started here: the message says what is missing. */
export async function ensureDocker(): Promise<DockerEngine> {
  const docker = new Docker();
  const startedPid = (await responses(docker)) ? undefined : await startEngine(docker);
  await ensureSwarm(docker);
  return {
    docker,
    startedHere: startedPid !== undefined,
    stopIfStartedHere: async () => {
      if (startedPid !== undefined) await endProcess(startedPid);
    },
  };
}

async function responses(docker: Docker): Promise<boolean> {
  try {
    await docker.ping();
    return true;
  } catch {
    return false;
  }
}

async function startEngine(docker: Docker): Promise<number | undefined> {
  if (process.getuid?.() !== 0) throw new Error('no Docker engine responds, and dockerd can be started by root only');
  const directory = cacheDirectory('docker');
  const logFile = join(directory, 'dockerd.log');
  const log = openSync(logFile, 'a');
  // Without a shell and a terminal of its own, so that a Ctrl-C meant for the tests does not take the engine along.
  const daemon = spawn(
    'dockerd',
    ['--data-root', join(directory, 'data'), '--exec-root', join(directory, 'run'), '--pidfile', pidFile()],
    { detached: true, stdio: ['ignore', log, log] },
  );
  const ended = new Promise<Error>((resolve) => {
    daemon.once('error', resolve);
    daemon.once('exit', (code) => resolve(new Error(`dockerd ended with code ${code}`)));
  });
  daemon.unref();
  for (let tries = 0; tries < 300; tries++) {
    if (await responses(docker)) {
      // Two processes may start one at the same time: dockerd's own pid file lets a single one live.
      return daemon.exitCode === null && daemon.pid === Number(readFileSync(pidFile(), 'utf8'))
        ? daemon.pid
        : undefined;
    }
    const failure = await Promise.race([ended, pause(100)]);
    if (failure instanceof Error && !(await respondsSoon(docker))) {
      throw new Error(`dockerd did not start: ${failure.message}\n${lastLines(logFile)}`);
    }
  }
  throw new Error(`dockerd does not respond after 30 s\n${lastLines(logFile)}`);
}

async function respondsSoon(docker: Docker): Promise<boolean> {
  for (let tries = 0; tries < 50; tries++) {
    if (await responses(docker)) return true;
    await pause(100);
  }
  return false;
}

function pidFile(): string {
  return join(cacheDirectory('docker'), 'dockerd.pid');
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-20).join('\n');
}

/** Ends one process by its pid and waits for it; SIGKILL after 20 s. */
async function endProcess(pid: number): Promise<void> {
  for (let tries = 0; tries < 220; tries++) {
    try {
      process.kill(pid, tries === 0 ? 'SIGTERM' : tries === 200 ? 'SIGKILL' : 0);
    } catch {
      return;
    }
    await pause(100);
  }
}

async function ensureSwarm(docker: Docker): Promise<void> {
  const info: { readonly Swarm?: { readonly LocalNodeState?: string } } = await docker.info();
  if (info.Swarm?.LocalNodeState === 'active') return;
  try {
    await docker.swarmInit({ AdvertiseAddr: '127.0.0.1', ListenAddr: '127.0.0.1:2377' });
  } catch (error) {
    // 503: another process was faster.
    if ((error as { statusCode?: number }).statusCode !== 503) throw error;
  }
}

/** `demo-3f9c2a`: unique on this machine. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(3).toString('hex')}`;
}

/** An attachable overlay network; returns its id. */
export async function createOverlayNetwork(docker: Docker, name: string): Promise<string> {
  const network = await docker.createNetwork({ Name: name, Driver: 'overlay', Attachable: true, CheckDuplicate: true });
  return network.id;
}

/** Removes it as soon as the last task has left: at most 30 s. */
export async function removeNetwork(docker: Docker, id: string): Promise<void> {
  const remove = async () => {
    try {
      await docker.getNetwork(id).remove();
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode !== 404) throw error;
    }
    return true;
  };
  await until(`network ${id} is removed`, remove, { withinMs: 30_000, everyMs: 200 });
}

export interface ServiceOptions {
  readonly name: string;
  readonly image: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly networks?: readonly string[];
  /** Default 1. `global`: one on every node. */
  readonly replicas?: number | 'global';
  /** Published in host mode. */
  readonly ports?: readonly { readonly target: number; readonly published: number }[];
  readonly env?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  /** Runs `GET /healthz` inside the container every second. */
  readonly healthCheck?: boolean;
  /** Default `stop-first`. */
  readonly updateOrder?: 'stop-first' | 'start-first';
  readonly stopGraceSeconds?: number;
  /** Placement constraints. One that no node meets gives a service whose tasks wait for ever, which costs nothing. */
  readonly constraints?: readonly string[];
}

/** Returns the service's id. */
export async function createService(docker: Docker, options: ServiceOptions): Promise<string> {
  const service = await docker.createService(serviceSpec(options));
  return service.id;
}

export function serviceSpec(options: ServiceOptions): Docker.CreateServiceOptions {
  const replicas = options.replicas ?? 1;
  const second = 1_000_000_000;
  const check = `fetch('http://127.0.0.1:'+(process.env.PORT??8080)+'/healthz').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))`;
  return {
    Name: options.name,
    Labels: { ...options.labels },
    TaskTemplate: {
      ContainerSpec: {
        Image: options.image,
        ...(options.command === undefined ? {} : { Command: [...options.command] }),
        Env: Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`),
        StopGracePeriod: (options.stopGraceSeconds ?? 10) * second,
        ...(options.healthCheck
          ? { HealthCheck: { Test: ['CMD', '/node', '-e', check], Interval: second, Timeout: 3 * second, Retries: 2 } }
          : {}),
      },
      Networks: (options.networks ?? []).map((Target) => ({ Target })),
      ...(options.constraints === undefined ? {} : { Placement: { Constraints: [...options.constraints] } }),
      RestartPolicy: { Condition: 'any', Delay: second / 5 },
    },
    Mode: replicas === 'global' ? { Global: {} } : { Replicated: { Replicas: replicas } },
    UpdateConfig: { Parallelism: 1, Order: options.updateOrder ?? 'stop-first' },
    EndpointSpec: {
      Mode: 'dnsrr',
      Ports: (options.ports ?? []).map(({ target, published }) => ({
        Protocol: 'tcp',
        TargetPort: target,
        PublishedPort: published,
        PublishMode: 'host',
      })),
    },
  };
}

type ServiceSpec = Docker.ServiceSpec;

/** Reads the service and writes what `change` makes of its spec; repeats when Swarm changed it in between. */
export async function updateService(
  docker: Docker,
  id: string,
  change: (spec: ServiceSpec) => ServiceSpec,
): Promise<void> {
  for (let tries = 0; ; tries++) {
    const service = docker.getService(id);
    const inspected: { readonly Version: { readonly Index: number }; readonly Spec: ServiceSpec } =
      await service.inspect();
    try {
      await service.update({ version: inspected.Version.Index, ...change(inspected.Spec) });
      return;
    } catch (error) {
      if (tries >= 20 || !String(error).includes('out of sequence')) throw error;
    }
  }
}

/** Gone already is gone. */
export async function removeService(docker: Docker, id: string): Promise<void> {
  try {
    await docker.getService(id).remove();
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode !== 404) throw error;
  }
}

/** One task as Docker returns it: what tests read of it. */
export interface ListedTask {
  readonly ID: string;
  readonly NodeID: string;
  readonly DesiredState: string;
  readonly Status: {
    readonly State: string;
    readonly Err?: string;
    readonly ContainerStatus?: { readonly ContainerID: string; readonly PID: number };
  };
  readonly NetworksAttachments?: readonly { readonly Addresses: readonly string[] }[];
}

/** All tasks of the service, in every state. */
export async function tasksOf(docker: Docker, serviceId: string): Promise<readonly ListedTask[]> {
  return (await docker.listTasks({ filters: { service: [serviceId] } })) as unknown as readonly ListedTask[];
}

/** Waits until exactly `count` tasks of the service run and returns them. @throws after 60 s, with the tasks' states. */
export async function waitForTasks(docker: Docker, serviceId: string, count: number): Promise<readonly ListedTask[]> {
  const look = async () => {
    const tasks = await tasksOf(docker, serviceId);
    const running = tasks.filter((task) => task.Status.State === 'running' && task.DesiredState === 'running');
    if (running.length === count) return running;
    const states = tasks.map((task) => `${task.DesiredState}/${task.Status.State} ${task.Status.Err ?? ''}`).join(', ');
    throw new Error(`tasks of ${serviceId}: ${states}`);
  };
  return await until(`service ${serviceId} has ${count} running tasks`, look, { withinMs: 60_000, everyMs: 100 });
}

if (import.meta.main) {
  const { docker, startedHere } = await ensureDocker();
  const version: { readonly Version: string } = await docker.version();
  console.log(
    `Docker engine ${version.Version} ${startedHere ? `started; its pid is in ${pidFile()}` : 'responds already'}`,
  );
  process.exit(0);
}
