import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { translateParameters } from '@swarmgate/labels';
import type { Registry, ServiceDefinition } from '@swarmgate/registry';
import type { Logger, Running } from '@swarmgate/runtime';

const folder = new URL('../../../../examples/', import.meta.url);

interface SampleService {
  readonly name: string;
  readonly run: string;
  readonly message: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The running samples. Stopping removes their routes first, then ends their processes. */
export interface RunningSamples extends Running {
  readonly paths: readonly string[];
}

/**
 * Starts the services of `examples/` on loopback, each on a port of its own, and publishes them under owner `sample`.
 * Their definitions are removed when they stop; ones that a crash left behind are replaced at the next start.
 */
export async function startSampleServices(
  registry: Registry,
  logger: Logger,
  signal: AbortSignal,
): Promise<RunningSamples> {
  const samples = JSON.parse(readFileSync(new URL('services.json', folder), 'utf8')) as SampleService[];
  const started = await Promise.all(samples.map((sample) => startOne(sample, logger)));
  const endAll = () => Promise.all(started.map(({ child }) => end(child)));
  const definitions = started.map(({ sample, port }) => define(sample, port));
  try {
    await registry.publish(
      definitions.map((document) => ({ owner: 'sample', service: document.service, definition: { document } })),
      { signal, by: 'swarmgate standalone' },
    );
  } catch (error) {
    await endAll();
    throw error;
  }
  return {
    paths: definitions.flatMap((each) => each.destinations.flatMap((destination) => destination.servicePath ?? [])),
    stop: async () => {
      try {
        await removeSampleServices(registry, signal);
      } finally {
        await endAll();
      }
    },
  };
}

/** Removes the routes of all samples, also of those that another process started. */
export async function removeSampleServices(registry: Registry, signal: AbortSignal): Promise<void> {
  const read = await registry.read(signal);
  if (read.kind !== 'snapshot') return;
  const left = [...read.snapshot.services.keys()].filter((key) => key.startsWith('sample/'));
  if (left.length === 0) return;
  await registry.publish(
    left.map((key) => ({ owner: 'sample', service: key.slice('sample/'.length), definition: { document: null } })),
    { signal, by: 'swarmgate standalone' },
  );
}

async function startOne(sample: SampleService, logger: Logger) {
  // A channel, so that the child ends with this process however it ends.
  const child = fork(fileURLToPath(new URL(sample.run, folder)), {
    env: { PORT: '0', HOST: '127.0.0.1', MESSAGE: sample.message },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [report] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() =>
      Promise.reject(new Error(`sample service ${sample.name} ended before it was listening`)),
    ),
  ])) as [{ readonly port: number }];
  logger.debug({ sample: sample.name, port: report.port }, 'sample service is listening');
  return { sample, child, port: report.port };
}

function define(sample: SampleService, port: number): ServiceDefinition {
  const parameters = new Map(
    Object.entries(sample.labels).map(([name, value]) => [name.replace(/^com\.df\./, ''), value]),
  );
  parameters.set('serviceName', sample.name);
  parameters.set('port', String(port));
  parameters.set('outboundHostname', '127.0.0.1');
  const now = Date.now();
  const { definition, problems } = translateParameters(parameters, {
    owner: 'sample',
    separator: ',',
    source: { kind: 'sample', by: 'swarmgate standalone' },
    updatedAt: new Date(now).toISOString(),
    nowMs: now,
  });
  if (definition === undefined)
    throw new Error(`sample service ${sample.name} is invalid: ${problems.map((each) => each.message).join('; ')}`);
  return definition;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
