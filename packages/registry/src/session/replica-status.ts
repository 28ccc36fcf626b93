import { z } from 'zod';
import type { KeyLayout } from '../journal/key-layout.ts';
import type { JournalPosition, ReplicaStatus } from '../registry.ts';
import type { KeyValueStore, StoredValue } from '../store/key-value-store.ts';

const statusSchema = z.object({
  replica: z.string().min(1).max(256),
  registryId: z.string(),
  sequence: z.number(),
  routes: z.number(),
  rejected: z.number(),
  reload: z.string().optional(),
  acme: z.string().optional(),
  features: z.array(z.string()).optional(),
  version: z.string(),
  since: z.string(),
});

/** In place of the status of a replica that drains. Older versions take it for no status, so that none of their barriers waits for it. */
const drainingSchema = z.object({ draining: statusSchema });

/** In place of the status of a replica that has stopped. Replicas of other versions take it for no status. */
const leftSchema = z.object({ left: z.string().min(1).max(256) });

export interface ListedReplicas {
  readonly live: readonly ReplicaStatus[];
  readonly draining: readonly ReplicaStatus[];
  /** Names of replicas that stopped on purpose and left a note, because their keys had vanished before. */
  readonly left: readonly string[];
}

/** What every live replica serves, and which ones drain. Keys that hold no status are left out. @throws RegistryError */
export async function listReplicas(
  store: KeyValueStore,
  layout: KeyLayout,
  signal: AbortSignal,
): Promise<ListedReplicas> {
  const listed = await store.list(layout.proxies, signal);
  const documents = listed.data.map(readJson);
  return {
    live: documents.map((each) => statusSchema.safeParse(each).data).filter((status) => status !== undefined),
    draining: documents
      .map((each) => drainingSchema.safeParse(each).data?.draining)
      .filter((status) => status !== undefined)
      .map((status) => ({ ...status, draining: true })),
    left: documents.map((each) => leftSchema.safeParse(each).data?.left).filter((name) => name !== undefined),
  };
}

/** The value of a replica's key. */
export function statusDocument({ draining, ...status }: ReplicaStatus): string {
  return JSON.stringify(draining === true ? { draining: status } : status, undefined, 2);
}

/** What a replica that stopped leaves at its key: see `ListedReplicas.left`. */
export function leftNote(replica: string): string {
  return JSON.stringify({ left: replica });
}

/** Whether what a replica serves, or reported, is at that position of the same registry or past it. */
export function hasReached(served: JournalPosition, position: JournalPosition): boolean {
  return served.registryId === position.registryId && served.sequence >= position.sequence;
}

function readJson({ value }: StoredValue): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
