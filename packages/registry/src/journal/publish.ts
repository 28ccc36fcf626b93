import { randomUUID } from 'node:crypto';
import { backoffMs, pause } from '@swarmgate/runtime';
import { type ServiceKey, serviceKey } from '../definition/service-definition.ts';
import type { PublishOptions, PublishReport, ServiceChange } from '../registry.ts';
import { RegistryError } from '../registry-error.ts';
import type { KeyValueStore, StoredValue } from '../store/key-value-store.ts';
import { mostOperations } from '../store/store-limits.ts';
import { type Head, newHead, parseHead, revisionOf } from './head.ts';
import { historyNumbers } from './history.ts';
import { isKeyName, type KeyLayout } from './key-layout.ts';
import { packWrites, planService, planTransaction, replacesDefinition, type ServiceWrite } from './plan-publication.ts';

export interface JournalContext {
  readonly store: KeyValueStore;
  readonly layout: KeyLayout;
}

interface PresentHead {
  readonly head: Head;
  /** 0: there is none yet. */
  readonly index: number;
}

// Two writers of one registry meet at `head`; each round one of them gets through, so this is far more than needed.
const mostAttempts = 100;
// From here on listing an owner's documents costs less than asking for each of them.
const listFromKeys = 512;

/** See `Registry.publish`. */
export async function publish(
  context: JournalContext,
  changes: readonly ServiceChange[],
  options: PublishOptions,
): Promise<PublishReport> {
  const { store, layout } = context;
  const { signal } = options;
  let remaining = inNameOrder(changes);
  const unchanged: ServiceKey[] = [];
  let transactions = 0;
  let present = await readHead(context, signal);
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const plan = await planAll(context, remaining, options);
    for (const service of plan.unchanged) unchanged.push(service);
    const writes = plan.writes;
    const packing = packWrites(writes);
    if (!packing.ok) {
      const what = `${layout.instance}: ${packing.tooLarge} needs ${packing.bytes} bytes in one transaction`;
      throw RegistryError.of('registry-refused', `${what}, more than fits`);
    }
    // Whoever publishes nothing still makes the registry exist: "no services" is said by a head with none.
    const groups = packing.groups.length === 0 && present.index === 0 ? [[]] : packing.groups;
    let written = 0;
    let stale = false;
    for (const group of groups) {
      const outcome = await writeGroup(context, group, present, options);
      present = outcome.present;
      if (outcome.kind === 'stale') {
        stale = true;
        break;
      }
      transactions += 1;
      written += group.length;
    }
    if (!stale) {
      const { sequence } = present.head;
      return { sequence, revision: revisionOf(present.head), transactions, unchanged };
    }
    // A document changed under our hands: what is left is read and planned again.
    const left = new Set(writes.slice(written).map((write) => write.service));
    remaining = remaining.filter((change) => left.has(serviceKey(change)));
    if (!(await pause(backoffMs(attempt, 2, 100), signal))) throw signal.reason;
  }
  throw RegistryError.of('registry-conflict', `${store.description}: other writers were faster ${mostAttempts} times`);
}

type GroupOutcome = { readonly kind: 'written' | 'stale'; readonly present: PresentHead };

/** Repeats while only `head` was written by somebody else in between: then nothing of ours is out of date. */
async function writeGroup(
  context: JournalContext,
  group: readonly ServiceWrite[],
  before: PresentHead,
  options: PublishOptions,
): Promise<GroupOutcome> {
  const { store, layout } = context;
  let present = before;
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const planned = planTransaction(group, present, layout, options.fence);
    const result = await store.transact(planned.operations, options.signal);
    if (result.ok) {
      const index = result.written.get(layout.head);
      if (index === undefined)
        throw RegistryError.of('registry-unreachable', `${layout.head}: written without an index`);
      return { kind: 'written', present: { head: planned.head, index } };
    }
    if (planned.fenceAt !== undefined && result.failed.includes(planned.fenceAt)) {
      throw RegistryError.of('leadership-lost', `the lock ${options.fence?.key} is not ours any more`);
    }
    present = await readHead(context, options.signal);
    if (result.failed.some((position) => position !== planned.headAt)) return { kind: 'stale', present };
    // Made by somebody else just now, and there is nothing to add.
    if (group.length === 0 && present.index !== 0) return { kind: 'written', present };
    if (!(await pause(backoffMs(attempt, 1, 50), options.signal))) throw options.signal.reason;
  }
  throw RegistryError.of('registry-conflict', `${layout.head}: other writers were faster ${mostAttempts} times`);
}

async function planAll(
  context: JournalContext,
  changes: readonly ServiceChange[],
  options: PublishOptions,
): Promise<{ readonly writes: readonly ServiceWrite[]; readonly unchanged: readonly ServiceKey[] }> {
  const { layout } = context;
  const stored = await readStored(context, changes, options.signal);
  const planContext = { layout, stored, by: options.by, now: new Date().toISOString() };
  const replaced = changes.filter((change) => replacesDefinition(change, planContext)).map(serviceKey);
  const numbers = await historyNumbers(context, replaced, options.signal);
  const writes: ServiceWrite[] = [];
  const unchanged: ServiceKey[] = [];
  for (const change of changes) {
    const plan = planService(change, { ...planContext, historyNumbers: numbers.get(serviceKey(change)) ?? [] });
    if (plan.kind === 'conflict') {
      throw RegistryError.of('registry-conflict', `${plan.service} was written by somebody else in between`);
    }
    if (plan.kind === 'write') writes.push(plan.write);
    else unchanged.push(plan.service);
  }
  return { writes, unchanged };
}

async function readHead({ store, layout }: JournalContext, signal: AbortSignal): Promise<PresentHead> {
  const stored = await store.get(layout.head, signal);
  const head = stored === undefined ? undefined : parseHead(stored.value);
  // A head that cannot be read is replaced by a new one: to followers that is another registry, which loses no route.
  return { head: head ?? newHead(randomUUID()), index: stored?.index ?? 0 };
}

async function readStored(
  { store, layout }: JournalContext,
  changes: readonly ServiceChange[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, StoredValue>> {
  const keys: string[] = [];
  for (const change of changes) {
    const service = serviceKey(change);
    if (change.definition !== undefined) keys.push(layout.documentKey('services', service));
    if (change.endpoints !== undefined) keys.push(layout.documentKey('endpoints', service));
    if (change.labelProblems !== undefined) keys.push(layout.documentKey('labelProblems', service));
  }
  const stored = new Map<string, StoredValue>();
  if (keys.length < listFromKeys) {
    for (let from = 0; from < keys.length; from += mostOperations) {
      const some = await store.getMany(keys.slice(from, from + mostOperations), signal);
      for (const [key, value] of some) stored.set(key, value);
    }
    return stored;
  }
  const prefixes = new Set(keys.map((key) => key.slice(0, key.lastIndexOf('/') + 1)));
  for (const prefix of prefixes) {
    const listed = await store.list(prefix, signal);
    for (const value of listed.data) stored.set(value.key, value);
  }
  return stored;
}

function inNameOrder(changes: readonly ServiceChange[]): readonly ServiceChange[] {
  const seen = new Set<ServiceKey>();
  for (const change of changes) {
    const service = serviceKey(change);
    if (!isKeyName(change.owner) || !isKeyName(change.service)) {
      throw RegistryError.of('registry-refused', `${service}: owner and service match [A-Za-z0-9][A-Za-z0-9._-]*`);
    }
    if (seen.has(service)) throw RegistryError.of('registry-refused', `${service} is changed twice in one publication`);
    seen.add(service);
  }
  return changes.toSorted((a, b) => (serviceKey(a) < serviceKey(b) ? -1 : 1));
}
