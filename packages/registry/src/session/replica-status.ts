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

/** What every live replica serves. Keys that hold no status are left out. @throws RegistryError */
export async function listReplicas(
  store: KeyValueStore,
  layout: KeyLayout,
  signal: AbortSignal,
): Promise<readonly ReplicaStatus[]> {
  const listed = await store.list(layout.proxies, signal);
  return listed.data.map(readStatus).filter((status) => status !== undefined);
}

/** Whether what a replica serves, or reported, is at that position of the same registry or past it. */
export function hasReached(served: JournalPosition, position: JournalPosition): boolean {
  return served.registryId === position.registryId && served.sequence >= position.sequence;
}

function readStatus({ value }: StoredValue): ReplicaStatus | undefined {
  try {
    return statusSchema.safeParse(JSON.parse(value)).data;
  } catch {
    return undefined;
  }
}
