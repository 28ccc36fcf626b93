import type { ServiceDefinition, ServiceKey } from '@swarmgate/labels';
import { z } from 'zod';
import { checkDefinition } from '../definition/check-definition.ts';
import type { HistoryEntry, ServiceChange } from '../registry.ts';
import type { StoredValue } from '../store/key-value-store.ts';
import { parseJson } from './documents.ts';
import type { JournalContext } from './journal-context.ts';

const entrySchema = z.object({
  number: z.int().min(1),
  replacedAt: z.string(),
  replacedBy: z.string(),
  definition: z.unknown(),
});

/** Former definitions of one service, newest first. Entries that cannot be used are left out. */
export async function readHistory(
  { store, layout }: JournalContext,
  service: ServiceKey,
  signal: AbortSignal,
): Promise<readonly HistoryEntry[]> {
  const listed = await store.list(layout.history(service), signal);
  const entries = listed.data.map((stored) => parseEntry(stored, service)).filter((entry) => entry !== undefined);
  return entries.toSorted((a, b) => b.number - a.number);
}

/**
 * The change that brings a former definition back. `index` is the one of the definition that stands now (0: none), so
 * that nothing written in between is lost. `since` stays as it was: who had the route first keeps it.
 */
export function rollbackTo(entry: HistoryEntry, index: number, now: Date): ServiceChange {
  const document: ServiceDefinition = { ...entry.definition, updatedAt: now.toISOString() };
  return { owner: document.owner, service: document.service, definition: { document, index } };
}

function parseEntry(stored: StoredValue, service: ServiceKey): HistoryEntry | undefined {
  const json = parseJson(stored.value);
  const entry = json.ok ? entrySchema.safeParse(json.json) : undefined;
  if (entry === undefined || !entry.success) return undefined;
  const [owner = '', name = ''] = service.split('/');
  const checked = checkDefinition(entry.data.definition, { owner, service: name });
  if (!checked.ok) return undefined;
  const { number, replacedAt, replacedBy } = entry.data;
  return { number, replacedAt, replacedBy, definition: checked.definition };
}
