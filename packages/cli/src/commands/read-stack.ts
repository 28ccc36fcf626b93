import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import {
  type DynamicFile,
  type DynamicText,
  readDynamicFiles,
  readTraefikArgs,
  type TraefikArgs,
  traefikLines,
} from '@swarmgate/labels/traefik';
import { messageOf, UsageError } from '@swarmgate/runtime/errors';
import { readSettings } from '@swarmgate/runtime/settings';
import {
  familiesOf,
  readTraefikFiles,
  type SwarmService,
  type TraefikProcess,
  traefikServicesIn,
  withFlags,
} from '@swarmgate/swarm-listener/labels';
import { type DesiredService, desiredServices } from '../compose/desired-services.ts';
import { type ComposeFile, mergeCompose, readCompose } from '../compose/read-compose.ts';
import type { CommandIo } from '../io.ts';
import { UnreachableError } from '../unreachable-error.ts';

export interface StackOptions {
  /** A file of flags or environment. */
  readonly traefikArgs?: string;
  /** A Traefik service of the Swarm at `DF_DOCKER_HOST`; `true`: its only one. */
  readonly traefikService?: string | true;
  /** Names in the labels of other services of the Swarm at `DF_DOCKER_HOST` hold, too; so they do with `traefikService`. */
  readonly swarm?: boolean;
  readonly stack?: string;
}

export interface ReadStack {
  readonly desired: readonly DesiredService[];
  /** Absent where no flags of Traefik are known. */
  readonly traefik?: TraefikArgs;
}

/** Translates stack files as the listener would, with the settings that Traefik's flags give. */
export async function readStack(files: readonly string[], options: StackOptions, io: CommandIo): Promise<ReadStack> {
  const merged = readFiles(files, io);
  const own = readSettings('cli', { env: io.env });
  const isOfSwarm = options.swarm === true || options.traefikService !== undefined;
  const swarm = isOfSwarm ? await readSwarm(io) : undefined;
  const traefik = flagsFor(merged, options, swarm, own.traefikFile !== undefined);
  const settings = traefik === undefined ? own : withFlags(own, traefik);
  const traefikFile = settings.traefikFile === undefined ? undefined : readFileOf(settings.traefikFile);
  const families = familiesOf(settings);
  const closesTls = traefik?.closesTls === undefined ? {} : { closesTls: traefik.closesTls };
  const desired = desiredServices(merged, {
    stack: stackName(files, options, merged),
    notifyLabel: settings.notifyLabel,
    serviceNamePrefix: settings.serviceNamePrefix,
    separator: settings.separator,
    defaults: settings.defaultLabels,
    ...families,
    ...(families.traefik === undefined ? {} : { traefik: { ...families.traefik, ...closesTls } }),
    ...(traefikFile === undefined ? {} : { traefikFile }),
    ...(swarm === undefined ? {} : { swarmServices: swarm.services }),
    owner: settings.swarmName,
    nowMs: Date.now(),
  });
  return { desired, ...(traefik === undefined ? {} : { traefik }) };
}

/** Of the file that is named, of the Swarm, or of a Traefik that stands in the stack files themselves. */
function flagsFor(
  file: ComposeFile,
  { traefikArgs, traefikService }: StackOptions,
  swarm: ReadSwarm | undefined,
  readsFile: boolean,
): TraefikArgs | undefined {
  if (traefikArgs !== undefined) return readTraefikArgs(readText(traefikArgs), { readsFile });
  if (traefikService !== undefined && swarm !== undefined) return flagsOf(processIn(swarm, traefikService), readsFile);
  const inFiles = [...file.services.values()].flatMap(({ name, traefik }) =>
    traefik === undefined ? [] : [{ name, traefik }],
  );
  const only = onlyOne(
    inFiles,
    'the stack files hold several services of Traefik',
    '--traefik-args FILE names its flags',
  );
  return only && flagsOf(only, readsFile);
}

function flagsOf({ args, environment, staticFile }: TraefikProcess, readsFile: boolean): TraefikArgs {
  const lines = traefikLines(args, environment);
  return readTraefikArgs(staticFile === undefined ? lines : [...lines, `--configfile=${staticFile}`], { readsFile });
}

/** @throws UsageError where it cannot be read: what it defines may restrict */
function readFileOf(path: string): DynamicFile {
  const read = readDynamicFiles(readSetting(path));
  if (!read.ok) throw new UsageError('setting-invalid', `TRAEFIK_FILE: ${read.problem.message}`);
  return read.file;
}

function readSetting(path: string): readonly DynamicText[] {
  try {
    return readTraefikFiles(path);
  } catch (cause) {
    throw new UsageError('setting-invalid', `TRAEFIK_FILE=${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

interface ReadSwarm {
  readonly services: readonly SwarmService[];
  /** Its address. */
  readonly description: string;
}

async function readSwarm(io: CommandIo): Promise<ReadSwarm> {
  const { connectSwarm } = await import('@swarmgate/swarm-listener/swarm-client');
  const client = connectSwarm(readSettings('listener', { env: io.env }).dockerHost);
  try {
    return { services: await client.services(AbortSignal.timeout(10_000)), description: client.description };
  } catch (error) {
    throw new UnreachableError('docker-unreachable', messageOf(error));
  }
}

function processIn({ services, description }: ReadSwarm, name: string | true): TraefikProcess {
  const all = traefikServicesIn(services);
  const named = all.filter((service) => name === true || service.name === name);
  const only = onlyOne(named, 'the Swarm has several services of Traefik', '--traefik-service NAME names one');
  if (only !== undefined) return only;
  const which = name === true ? 'no service' : `no service ${name}`;
  throw new UsageError(
    'traefik-service-missing',
    `the Swarm (${description}) has ${which} whose image is called traefik`,
  );
}

function onlyOne(
  found: readonly { readonly name: string; readonly traefik: TraefikProcess }[],
  several: string,
  mend: string,
): TraefikProcess | undefined {
  if (found.length > 1)
    throw new UsageError(
      'traefik-service-ambiguous',
      `${several}: ${found.map(({ name }) => name).join(', ')}; ${mend}`,
    );
  return found[0]?.traefik;
}

export function readFiles(files: readonly string[], io: CommandIo): ComposeFile {
  return mergeCompose(files.map((file) => readCompose(file, readText(file), io.env)));
}

export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError('file-unreadable', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

export function stackName(files: readonly string[], { stack }: StackOptions, { name }: ComposeFile): string {
  return stack ?? name ?? basename(dirname(resolve(files[0] ?? '.')));
}
