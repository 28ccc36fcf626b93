import { randomUUID } from 'node:crypto';
import { type ServiceKey, serviceKey } from '@swarmgate/labels';
import { backoffMs, pause } from '@swarmgate/runtime';
import type { PublishOptions, PublishReport, ServiceChange } from '../registry.ts';
import { RegistryError } from '../registry-error.ts';
import { newHead, parseHead, revisionOf } from './head.ts';
import type { JournalContext } from './journal-context.ts';
import { type AttributedChange, planAll } from './plan-all.ts';
import { packWrites, planTransaction, type ServiceWrite } from './plan-publication.ts';
import type { PresentHead } from './publish-memory.ts';
import { documentKeysOf } from './read-stored.ts';

// Two writers of one registry meet at `head`; each round one of them succeeds, so this is far more than needed.
const mostAttempts = 100;

/** What one caller publishes. Settled by `writePublications`, or by its own signal. */
export class Publication {
  /** In name order, each of another service. */
  readonly changes: readonly ServiceChange[];
  readonly options: PublishOptions;
  readonly unchanged: ServiceKey[] = [];
  readonly #done = Promise.withResolvers<PublishReport>();
  #isSettled = false;

  constructor(changes: readonly ServiceChange[], options: PublishOptions) {
    this.changes = changes;
    this.options = options;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Whether both are written under the same lock, or both without one. */
  hasFenceOf(other: Publication): boolean {
    const [mine, theirs] = [this.options.fence, other.options.fence];
    return mine?.key === theirs?.key && mine?.session === theirs?.session;
  }

  /** Rejects with the signal's reason when that aborts first; what is being written is then written all the same. */
  async settled(): Promise<PublishReport> {
    const { signal } = this.options;
    const onAbort = () => this.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await this.#done.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  resolve(report: PublishReport): void {
    this.#isSettled = true;
    this.#done.resolve(report);
  }

  reject(reason: unknown): void {
    this.#isSettled = true;
    this.#done.reject(reason);
  }
}

/**
 * Writes several publications under one fence, no service in two of them, in common transactions. Each is settled by
 * itself: a conflict, or a document that is too large, fails the publication that it belongs to. Never rejects.
 */
export async function writePublications(context: JournalContext, batch: readonly Publication[]): Promise<void> {
  const aborting = new AbortController();
  // The store is called until the last caller has left.
  const onAbort = () => {
    if (batch.every(({ options }) => options.signal.aborted)) aborting.abort(batch[0]?.options.signal.reason);
  };
  for (const { options } of batch) options.signal.addEventListener('abort', onAbort, { once: true });
  try {
    await writeAll(context, batch, aborting.signal);
  } catch (error) {
    for (const publication of batch) publication.reject(error);
  } finally {
    for (const { options } of batch) options.signal.removeEventListener('abort', onAbort);
  }
}

async function writeAll(context: JournalContext, batch: readonly Publication[], signal: AbortSignal): Promise<void> {
  const { store, memory } = context;
  const writing = {
    ...(batch[0]?.options.fence === undefined ? {} : { fence: batch[0].options.fence }),
    awaited: batch.some(({ options }) => options.awaited === true),
  };
  const publicationOf = new Map<ServiceKey, Publication>();
  let remaining: AttributedChange[] = [];
  for (const publication of batch) {
    for (const change of publication.changes) {
      publicationOf.set(serviceKey(change), publication);
      remaining.push({ ...change, by: publication.options.by });
    }
  }
  const isOpen = (service: ServiceKey) => publicationOf.get(service)?.isSettled === false;
  let transactions = 0;
  let present: PresentHead | undefined;
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const plan = await planAll(context, remaining, signal);
    for (const service of plan.conflicts) {
      const error = RegistryError.of('registry-conflict', `${service} was changed by another writer in between`);
      publicationOf.get(service)?.reject(error);
    }
    for (const service of plan.unchanged) publicationOf.get(service)?.unchanged.push(service);
    const packed = packFitting(context, plan.writes, publicationOf);
    const writes = packed.flat();
    // A transaction compares `head`; where nothing is written, the report states what stands there now.
    present ??= (writes.length === 0 ? undefined : memory.head) ?? (await readHead(context, signal));
    // A publication without changes still makes the registry exist: a head without services means "no services".
    const groups = packed.length === 0 && present.index === 0 ? [[]] : packed;
    let written = 0;
    let isStale = false;
    for (const group of groups) {
      const outcome = await writeGroup(context, group, present, writing, signal);
      present = outcome.present;
      if (outcome.kind === 'stale') {
        isStale = true;
        break;
      }
      transactions += 1;
      written += group.length;
    }
    if (!isStale) {
      const { registryId, sequence } = present.head;
      const revision = revisionOf(present.head);
      for (const publication of batch)
        publication.resolve({ registryId, sequence, revision, transactions, unchanged: publication.unchanged });
      return;
    }
    // A document changed between its reading and its writing: what is left is read and planned again.
    const left = new Set(writes.slice(written).map((write) => write.service));
    remaining = remaining.filter((change) => left.has(serviceKey(change)) && isOpen(serviceKey(change)));
    for (const change of remaining) for (const key of documentKeysOf(change, context.layout)) memory.forgetValue(key);
    if (!(await pause(backoffMs(attempt, 2, 100), signal))) throw signal.reason;
  }
  throw RegistryError.of('registry-conflict', `${store.description}: other writers were faster ${mostAttempts} times`);
}

/** Transactions of what belongs to publications that are still open. One that does not fit fails its publication. */
function packFitting(
  { layout }: JournalContext,
  writes: readonly ServiceWrite[],
  publicationOf: ReadonlyMap<ServiceKey, Publication>,
): readonly (readonly ServiceWrite[])[] {
  for (;;) {
    const open = writes.filter(({ service }) => publicationOf.get(service)?.isSettled === false);
    const packing = packWrites(open);
    if (packing.ok) return packing.groups;
    const what = `${layout.instance}: ${packing.tooLarge} needs ${packing.bytes} bytes in one transaction`;
    publicationOf.get(packing.tooLarge)?.reject(RegistryError.of('registry-refused', `${what}, more than fits`));
  }
}

type GroupOutcome = { readonly kind: 'written' | 'stale'; readonly present: PresentHead };

/** Repeats while only `head` was written by another process in between: then nothing of the group is out of date. */
async function writeGroup(
  context: JournalContext,
  group: readonly ServiceWrite[],
  before: PresentHead,
  writing: Pick<PublishOptions, 'fence' | 'awaited'>,
  signal: AbortSignal,
): Promise<GroupOutcome> {
  const { store, layout, memory } = context;
  let present = before;
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const planned = planTransaction(group, present, layout, writing);
    const result = await store.transact(planned.operations, signal);
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
      throw RegistryError.of('leadership-lost', `the lock ${writing.fence?.key} is held by another session`);
    }
    present = await readHead(context, signal);
    if (result.failed.some((position) => position !== planned.headAt)) return { kind: 'stale', present };
    // Another process made the head just now, and there is nothing to add.
    if (group.length === 0 && present.index !== 0) return { kind: 'written', present };
    // Without a pause the first time: then memory was late, and no other writer is at work.
    if (attempt > 0 && !(await pause(backoffMs(attempt, 1, 50), signal))) throw signal.reason;
  }
  throw RegistryError.of('registry-conflict', `${layout.head}: other writers were faster ${mostAttempts} times`);
}

/** What a transaction left in the store. */
function remember({ layout, memory }: JournalContext, write: ServiceWrite, indexes: ReadonlyMap<string, number>): void {
  for (const operation of write.operations) {
    const { key } = operation;
    // History is read by people alone.
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
