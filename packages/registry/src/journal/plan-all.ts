import { type ServiceKey, serviceKey } from '@swarmgate/labels';
import type { PublishOptions, ServiceChange } from '../registry.ts';
import type { StoredValue } from '../store/key-value-store.ts';
import type { JournalContext } from './journal-context.ts';
import { planService, replacesDefinition, type ServicePlan, type ServiceWrite } from './plan-publication.ts';
import { documentKeysOf, readHistoryNumbers, readStored } from './read-stored.ts';

/** A change, and who makes it. */
export type AttributedChange = ServiceChange & Pick<PublishOptions, 'by'>;

export interface Plan {
  /** In the order of the changes. */
  readonly writes: readonly ServiceWrite[];
  readonly unchanged: readonly ServiceKey[];
  /** Services whose definition was written since the caller read it. */
  readonly conflicts: readonly ServiceKey[];
}

/**
 * What has to be written for these changes, each of another service. Planned from memory where every document would be
 * written, because the store compares those; everything else is read. @throws RegistryError
 */
export async function planAll(
  context: JournalContext,
  changes: readonly AttributedChange[],
  signal: AbortSignal,
): Promise<Plan> {
  const now = new Date().toISOString();
  const planned = new Map<ServiceKey, ServicePlan>();
  const unknown: AttributedChange[] = [];
  for (const change of changes) {
    const plan = planFromMemory(context, change, { by: change.by, now });
    if (plan === undefined) unknown.push(change);
    else planned.set(serviceKey(change), plan);
  }
  if (unknown.length > 0) {
    for (const [service, plan] of await planFromStore(context, unknown, now, signal)) planned.set(service, plan);
  }
  const writes: ServiceWrite[] = [];
  const unchanged: ServiceKey[] = [];
  const conflicts: ServiceKey[] = [];
  for (const change of changes) {
    const plan = planned.get(serviceKey(change));
    if (plan?.kind === 'conflict') conflicts.push(plan.service);
    else if (plan?.kind === 'write') writes.push(plan.write);
    else if (plan !== undefined) unchanged.push(plan.service);
  }
  return { writes, unchanged, conflicts };
}

interface Writing {
  readonly by: string;
  readonly now: string;
}

/**
 * `undefined`: not everything is remembered, or a document would stay unwritten because it equals memory, or the caller
 * expects another index than memory has: memory may be late in both.
 */
function planFromMemory(
  { layout, memory }: JournalContext,
  change: ServiceChange,
  writing: Writing,
): ServicePlan | undefined {
  const keys = documentKeysOf(change, layout);
  const stored = new Map<string, StoredValue>();
  for (const key of keys) {
    const known = memory.value(key);
    if (known === undefined) return undefined;
    stored.set(key, known);
  }
  const historyNumbers = memory.historyNumbers(serviceKey(change));
  if (change.definition !== undefined && historyNumbers === undefined) return undefined;
  const plan = planService(change, { layout, stored, ...writing, historyNumbers: historyNumbers ?? [] });
  if (plan.kind !== 'write') return undefined;
  return plan.write.put.length + plan.write.remove.length === keys.length ? plan : undefined;
}

async function planFromStore(
  context: JournalContext,
  changes: readonly AttributedChange[],
  now: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<ServiceKey, ServicePlan>> {
  const { layout, memory } = context;
  const keys = changes.flatMap((change) => documentKeysOf(change, layout));
  const stored = await readStored(context, keys, signal);
  for (const key of keys) {
    const value = stored.get(key);
    if (value === undefined) memory.forgetValue(key);
    else memory.setValue(value);
  }
  const replaced = changes.filter((change) => replacesDefinition(change, { layout, stored, by: change.by, now }));
  const numbers = await readHistoryNumbers(context, replaced.map(serviceKey), signal);
  const plans = new Map<ServiceKey, ServicePlan>();
  for (const change of changes) {
    const service = serviceKey(change);
    const historyNumbers = numbers.get(service);
    // Beside a document that another process wrote, history entries may stand that are not known here.
    if (historyNumbers === undefined) memory.forgetHistory(service);
    const writing = { by: change.by, now, historyNumbers: historyNumbers ?? [] };
    plans.set(service, planService(change, { layout, stored, ...writing }));
  }
  return plans;
}
