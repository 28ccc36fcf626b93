import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  checkDefinition,
  checkEndpoints,
  checkMaintenance,
  type EndpointsDocument,
  type MaintenanceDocument,
  type Problem,
  parseJson,
  type ServiceDefinition,
  serviceKey,
} from '@swarmgate/registry';
import { SwarmgateError } from '@swarmgate/runtime';
import { z } from 'zod';
import type { ServedService } from '../../model/served-service.ts';
import type { KeptSnapshot } from './served-services.ts';

/**
 * The last good snapshot on disk: what a cold start serves while the registry is away. One JSON document a line, so
 * that 10,000 services are written and read in small steps that hold up no request:
 * a head, one line for each service, and a foot with the SHA-256 of all lines before it.
 */
const format = { kind: 'swarmgate-snapshot', version: 1 } as const;
const servicesPerStep = 200;

const headSchema = z.object({
  kind: z.literal(format.kind),
  version: z.literal(format.version),
  instance: z.string(),
  savedAtMs: z.number(),
  registryId: z.string(),
  revision: z.string(),
  sequence: z.int().min(0),
});

const placeSchema = z.object({
  definition: z.looseObject({ owner: z.string(), service: z.string() }),
  endpoints: z.unknown().optional(),
  maintenance: z.unknown().optional(),
});

type Head = z.infer<typeof headSchema>;

interface ServiceLine {
  readonly definition: ServiceDefinition;
  readonly endpoints?: EndpointsDocument;
  readonly maintenance?: MaintenanceDocument;
}

export interface DiskSnapshot extends KeptSnapshot {
  readonly savedAtMs: number;
  /** Documents that this version cannot use, as those of another one: each costs its own service at most. */
  readonly leftOut: readonly Problem[];
}

/** The file exists and cannot be used. The proxy then starts without it. */
export class SnapshotFileError extends SwarmgateError {}

export function snapshotPath(dataDir: string, instance: string): string {
  return join(dataDir, `snapshot-${instance}.jsonl`);
}

/**
 * Written beside the old one, flushed, then renamed over it: a crash at any instant leaves one whole file. Mode 600,
 * because definitions hold password hashes.
 */
export async function writeSnapshotFile(
  path: string,
  instance: string,
  snapshot: KeptSnapshot,
  savedAtMs: number,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Two proxies of one node share the folder while one takes the other's place, and processes of two containers their number.
  const temporary = `${path}.${hostname()}.${process.pid}.tmp`;
  const hash = createHash('sha256');
  const { registryId, revision, sequence } = snapshot;
  const head: Head = { ...format, instance, savedAtMs, registryId, revision, sequence };
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      const write = async (lines: string) => {
        hash.update(lines);
        await file.writeFile(lines);
      };
      await write(`${JSON.stringify(head)}\n`);
      const kept = snapshot.services.filter((each) => each.origin !== 'env');
      for (let at = 0; at < kept.length; at += servicesPerStep) {
        const lines = kept.slice(at, at + servicesPerStep).map(({ definition, endpoints, maintenance }) => {
          const line: ServiceLine = {
            definition,
            ...(endpoints === undefined ? {} : { endpoints }),
            ...(maintenance === undefined ? {} : { maintenance }),
          };
          return `${JSON.stringify(line)}\n`;
        });
        await write(lines.join(''));
      }
      await file.writeFile(`${JSON.stringify({ sha256: hash.digest('hex') })}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/**
 * `undefined` where there is none, or one of another instance. Its documents pass the same checks as the registry's.
 * @throws SnapshotFileError `snapshot-broken` for a file that is cut off, changed, or of a later version.
 */
export async function readSnapshotFile(path: string, instance: string): Promise<DiskSnapshot | undefined> {
  const hash = createHash('sha256');
  const services: ServedService[] = [];
  const leftOut: Problem[] = [];
  let head: Head | undefined;
  let pending: string | undefined;
  const broken = (why: string, cause?: unknown) =>
    new SnapshotFileError('snapshot-broken', `${path} cannot be used: ${why}`, { cause });
  try {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
      // The last line is the foot: each line counts only once the next one has come.
      if (pending !== undefined) {
        hash.update(`${pending}\n`);
        if (head === undefined) {
          head = headSchema.safeParse(JSON.parse(pending)).data;
          if (head === undefined) throw broken(`it is not a snapshot of version ${format.version}`);
        } else {
          const read = readServiceLine(pending);
          if (read.served !== undefined) services.push(read.served);
          leftOut.push(...read.problems);
        }
      }
      pending = line;
    }
    const foot = pending === undefined ? undefined : (JSON.parse(pending) as { sha256?: string });
    if (head === undefined || foot?.sha256 !== hash.digest('hex')) throw broken('its checksum is wrong');
  } catch (error) {
    if (error instanceof SnapshotFileError) throw error;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw broken(error instanceof Error ? error.message : String(error), error);
  }
  if (head.instance !== instance) return undefined;
  const { savedAtMs, registryId, revision, sequence } = head;
  return { savedAtMs, registryId, revision, sequence, services, leftOut };
}

function readServiceLine(line: string): {
  readonly served: ServedService | undefined;
  readonly problems: readonly Problem[];
} {
  const parsed = parseJson(line);
  const json = parsed.ok ? placeSchema.safeParse(parsed.json).data : undefined;
  if (json === undefined) return { served: undefined, problems: [notAService] };
  const { owner, service } = json.definition;
  const checked = checkDefinition(json.definition, { owner, service });
  if (!checked.ok) return { served: undefined, problems: checked.problems };
  const { definition } = checked;
  const found = json.endpoints === undefined ? undefined : checkEndpoints(json.endpoints, { owner, service });
  const endpoints = found?.ok ? found.endpoints : undefined;
  const place = ownerOfMaintenance(json.maintenance, owner);
  const down =
    json.maintenance === undefined ? undefined : checkMaintenance(json.maintenance, { owner: place, service });
  const served = {
    key: serviceKey(definition),
    definition,
    endpoints,
    ...(down?.ok ? { maintenance: down.document } : {}),
    origin: 'snapshot' as const,
    addressesFresh: true,
  };
  const problems = [found, down].flatMap((each) => (each?.ok === false ? each.problems : []));
  return { served, problems };
}

/** What replaces a service by hand has the maintenance of the service that it replaces. */
function ownerOfMaintenance(json: unknown, owner: string): string {
  const stated = typeof json === 'object' && json !== null && 'owner' in json ? json.owner : undefined;
  return owner === 'manual' && typeof stated === 'string' ? stated : owner;
}

const notAService: Problem = {
  severity: 'error',
  reason: 'definition-invalid',
  message: 'a line of the snapshot holds no definition with an owner and a service',
};

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
