import { randomUUID } from 'node:crypto';
import { type ServiceKey, serviceKey } from '@swarmgate/labels';
import { backoffMs, isName, nameExpected, pause } from '@swarmgate/runtime';
import type { PublishOptions, PublishReport, ServiceChange } from '../registry.ts';
import { RegistryError } from '../registry-error.ts';
import { newHead, parseHead, revisionOf } from './head.ts';
import type { JournalContext } from './journal-context.ts';
import { planAll } from './plan-all.ts';
import { packWrites, planTransaction, type ServiceWrite } from './plan-publication.ts';
import { pruneHistories, removalsBetweenLooks } from './prune-histories.ts';
import type { PresentHead } from './publish-memory.ts';
import { documentKeysOf } from './read-stored.ts';

// Two writers of one registry meet at `head`; each round one of them gets through, so this is far more than needed.
const mostAttempts = 100;

/** See `Registry.publish`. */
export async function publish(
  context: JournalContext,
  changes: readonly ServiceChange[],
  options: PublishOptions,
): Promise<PublishReport> {
  const report = await publishAll(context, changes, options);
  const removed = changes.filter(({ definition }) => definition?.document === null);
  for (const [owner, { length }] of Map.groupBy(removed, (change) => change.owner)) {
    if (!context.memory.countRemovals(owner, length, removalsBetweenLooks)) continue;
    try {
      await pruneHistories(context, owner, options);
    } catch (error) {
      // What was to be published is published; and after the next removals it is looked again.
      if (!(error instanceof RegistryError)) throw error;
    }
  }
  return report;
}

async function publishAll(
  context: JournalContext,
  changes: readonly ServiceChange[],
  options: PublishOptions,
): Promise<PublishReport> {
  const { store, layout, memory } = context;
  const { signal } = options;
  let remaining = inNameOrder(changes);
  const unchanged: ServiceKey[] = [];
  let transactions = 0;
  let present: PresentHead | undefined;
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const plan = await planAll(context, remaining, options);
    for (const service of plan.unchanged) unchanged.push(service);
    const writes = plan.writes;
    const packing = packWrites(writes);
    if (!packing.ok) {
      const what = `${layout.instance}: ${packing.tooLarge} needs ${packing.bytes} bytes in one transaction`;
      throw RegistryError.of('registry-refused', `${what}, more than fits`);
    }
    // Who writes compares `head`; who has nothing to write tells what stands there now.
    present ??= (writes.length === 0 ? undefined : memory.head) ?? (await readHead(context, signal));
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
    for (const change of remaining) for (const key of documentKeysOf(change, layout)) memory.forgetValue(key);
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
  const { store, layout, memory } = context;
  let present = before;
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const planned = planTransaction(group, present, layout, options.fence);
    const result = await store.transact(planned.operations, options.signal);
    if (result.ok) {
      const index = result.written.get(layout.head);
      if (index === undefined)
        throw RegistryError.of('registry-unreachable', `${layout.head}: written without an index`);
      present = { head: planned.head, index };
      memory.setHead(present);
      for (const write of group) remember(context, write, result.written);
      return { kind: 'written', present };
    }
    if (planned.fenceAt !== undefined && result.failed.includes(planned.fenceAt)) {
      throw RegistryError.of('leadership-lost', `the lock ${options.fence?.key} is not ours any more`);
    }
    present = await readHead(context, options.signal);
    if (result.failed.some((position) => position !== planned.headAt)) return { kind: 'stale', present };
    // Made by somebody else just now, and there is nothing to add.
    if (group.length === 0 && present.index !== 0) return { kind: 'written', present };
    // The first time our memory was late, which nobody else's haste has to do with.
    if (attempt > 0 && !(await pause(backoffMs(attempt, 1, 50), options.signal))) throw options.signal.reason;
  }
  throw RegistryError.of('registry-conflict', `${layout.head}: other writers were faster ${mostAttempts} times`);
}

/** What a transaction left behind. */
function remember({ layout, memory }: JournalContext, write: ServiceWrite, indexes: ReadonlyMap<string, number>): void {
  for (const operation of write.operations) {
    const { key } = operation;
    // History is read by people, not by us.
    if (layout.historyEntry(key) !== undefined) continue;
    const index = indexes.get(key);
    if ('value' in operation && index !== undefined) memory.setValue({ key, value: operation.value, index });
    else memory.forgetValue(key);
  }
  if (write.historyNumbers !== undefined) memory.setHistoryNumbers(write.service, write.historyNumbers);
}

async function readHead({ store, layout, memory }: JournalContext, signal: AbortSignal): Promise<PresentHead> {
  const stored = await store.get(layout.head, signal);
  const head = stored === undefined ? undefined : parseHead(stored.value);
  // A head that cannot be read is replaced by a new one: to followers that is another registry, which loses no route.
  const present = { head: head ?? newHead(randomUUID()), index: stored?.index ?? 0 };
  memory.setHead(head === undefined ? undefined : present);
  return present;
}

function inNameOrder(changes: readonly ServiceChange[]): readonly ServiceChange[] {
  const seen = new Set<ServiceKey>();
  for (const change of changes) {
    const service = serviceKey(change);
    if (!isName(change.owner) || !isName(change.service)) {
      throw RegistryError.of('registry-refused', `${service}: expected ${nameExpected} in owner and service`);
    }
    if (seen.has(service)) throw RegistryError.of('registry-refused', `${service} is changed twice in one publication`);
    seen.add(service);
  }
  return changes.toSorted((a, b) => (serviceKey(a) < serviceKey(b) ? -1 : 1));
}
