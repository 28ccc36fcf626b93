import { type ServiceKey, serviceKey } from '@swarmgate/labels';
import type { PublishOptions, ServiceChange } from '../registry.ts';
import { RegistryError } from '../registry-error.ts';
import type { StoredValue } from '../store/key-value-store.ts';
import type { JournalContext } from './journal-context.ts';
import { planService, replacesDefinition, type ServicePlan, type ServiceWrite } from './plan-publication.ts';
import { documentKeysOf, readHistoryNumbers, readStored } from './read-stored.ts';

interface Plan {
  /** In the order of the changes. */
  readonly writes: readonly ServiceWrite[];
  readonly unchanged: readonly ServiceKey[];
}

/**
 * What has to be written for these changes. Planned with what is remembered where every document would be written, for
 * that is compared by the store; everything else is read. @throws RegistryError `registry-conflict`
 */
export async function planAll(
  context: JournalContext,
  changes: readonly ServiceChange[],
  options: PublishOptions,
): Promise<Plan> {
  const now = new Date().toISOString();
  const planned = new Map<ServiceKey, ServicePlan>();
  const unknown: ServiceChange[] = [];
  for (const change of changes) {
    const plan = planFromMemory(context, change, { by: options.by, now });
    if (plan === undefined) unknown.push(change);
    else planned.set(serviceKey(change), plan);
  }
  if (unknown.length > 0) {
    const plans = await planFromStore(context, unknown, { by: options.by, now, signal: options.signal });
    for (const [service, plan] of plans) planned.set(service, plan);
  }
  const writes: ServiceWrite[] = [];
  const unchanged: ServiceKey[] = [];
  for (const change of changes) {
    const plan = planned.get(serviceKey(change));
    if (plan?.kind === 'conflict') {
      throw RegistryError.of('registry-conflict', `${plan.service} was written by somebody else in between`);
    }
    if (plan?.kind === 'write') writes.push(plan.write);
    else if (plan !== undefined) unchanged.push(plan.service);
  }
  return { writes, unchanged };
}

interface Writing {
  readonly by: string;
  readonly now: string;
}

/** `undefined`: not everything is remembered, or it would leave something unwritten on the word of our memory. */
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
  changes: readonly ServiceChange[],
  { signal, ...writing }: Writing & { readonly signal: AbortSignal },
): Promise<ReadonlyMap<ServiceKey, ServicePlan>> {
  const { layout, memory } = context;
  const keys = changes.flatMap((change) => documentKeysOf(change, layout));
  const stored = await readStored(context, keys, signal);
  for (const key of keys) {
    const value = stored.get(key);
    if (value === undefined) memory.forgetValue(key);
    else memory.setValue(value);
  }
  const replaced = changes.filter((change) => replacesDefinition(change, { layout, stored, ...writing }));
  const numbers = await readHistoryNumbers(context, replaced.map(serviceKey), signal);
  const plans = new Map<ServiceKey, ServicePlan>();
  for (const change of changes) {
    const service = serviceKey(change);
    const historyNumbers = numbers.get(service);
    // Beside a document that somebody else wrote, entries may stand that we do not know.
    if (historyNumbers === undefined) memory.forgetHistory(service);
    plans.set(service, planService(change, { layout, stored, ...writing, historyNumbers: historyNumbers ?? [] }));
  }
  return plans;
}
