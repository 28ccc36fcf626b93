import { type ServiceKey, serviceKey } from '@swarmgate/labels';
import { checkDefinition } from '../definition/check-definition.ts';
import type { PublishOptions, ServiceChange } from '../registry.ts';
import type { Operation, StoredValue } from '../store/key-value-store.ts';
import { mostOperations, mostTransactionBytes, operationBytes } from '../store/store-limits.ts';
import { isWrittenAlready, parseJson, serializeDocument, serializeProblems } from './documents.ts';
import { appendToHead, type Head, serializeHead } from './head.ts';
import type { DocumentKind, KeyLayout } from './key-layout.ts';

/** Former definitions kept of each service. */
export const mostHistoryEntries = 10;
/** A former definition larger than this is not kept: it would have to fit into the transaction beside its successor. */
export const mostHistoryValueBytes = 64 * 1024;

/** What one service needs written: whole, in one transaction, or not at all. */
export interface ServiceWrite {
  readonly service: ServiceKey;
  readonly operations: readonly Operation[];
  /** For the journal, relative to the instance. */
  readonly put: readonly string[];
  readonly remove: readonly string[];
  /** Numbers of the service's history entries afterwards; absent where the history stays as it is. */
  readonly historyNumbers?: readonly number[];
}

export type ServicePlan =
  | { readonly kind: 'unchanged'; readonly service: ServiceKey }
  | { readonly kind: 'write'; readonly write: ServiceWrite }
  /** Another writer changed the definition since the caller read it. */
  | { readonly kind: 'conflict'; readonly service: ServiceKey };

export interface PlanContext {
  readonly layout: KeyLayout;
  /** What stands under the change's keys now. */
  readonly stored: ReadonlyMap<string, StoredValue>;
  /** Numbers of the service's history entries, in any order. Needed where `replacesDefinition` is true. */
  readonly historyNumbers: readonly number[];
  readonly by: string;
  /** ISO 8601. */
  readonly now: string;
}

const bookkeepingBytes = 64 * 1024;

/** Whether the change puts another definition in the place of one, or of none: then it needs the history's numbers. */
export function replacesDefinition(change: ServiceChange, context: Omit<PlanContext, 'historyNumbers'>): boolean {
  if (change.definition === undefined) return false;
  const present = context.stored.get(context.layout.documentKey('services', serviceKey(change)));
  if (present === undefined) return false;
  return change.definition.document === null || !isWrittenAlready(present.value, change.definition.document);
}

export function planService(change: ServiceChange, context: PlanContext): ServicePlan {
  const service = serviceKey(change);
  const operations: Operation[] = [];
  const put: string[] = [];
  const remove: string[] = [];
  const { layout, stored } = context;
  let historyNumbers: readonly number[] | undefined;
  const journal = (kind: DocumentKind, list: string[]) =>
    list.push(layout.documentKey(kind, service).slice(layout.prefix.length));

  if (change.definition !== undefined) {
    const { document, index } = change.definition;
    const key = layout.documentKey('services', service);
    const present = stored.get(key);
    const same =
      document === null ? present === undefined : present !== undefined && isWrittenAlready(present.value, document);
    if (!same) {
      if (index !== undefined && index !== (present?.index ?? 0)) return { kind: 'conflict', service };
      if (present !== undefined) {
        const kept = keepFormer(present, change, context);
        operations.push(...kept.operations);
        historyNumbers = kept.numbers;
      }
      if (document !== null) {
        const value = serializeDocument(document);
        operations.push({ kind: 'compare-and-set', key, value, index: present?.index ?? 0 });
        journal('services', put);
      } else if (present !== undefined) {
        operations.push({ kind: 'compare-and-delete', key, index: present.index });
        journal('services', remove);
      }
    }
  }
  if (change.maintenance !== undefined) {
    const { document, index } = change.maintenance;
    const key = layout.documentKey('maintenance', service);
    const present = stored.get(key);
    if (index !== (present?.index ?? 0)) return { kind: 'conflict', service };
    if (document !== null) {
      operations.push({ kind: 'compare-and-set', key, value: serializeDocument(document), index });
      journal('maintenance', put);
    } else if (present !== undefined) {
      operations.push({ kind: 'compare-and-delete', key, index });
      journal('maintenance', remove);
    }
  }
  // Only the fenced owner writes these two, and each stands for itself: no comparison is needed.
  const beside = [
    ['endpoints', change.endpoints, (document: object) => serializeDocument(document)],
    [
      'labelProblems',
      // No problems and no key are one and the same.
      change.labelProblems?.length === 0 ? null : change.labelProblems,
      () => serializeProblems(change.labelProblems ?? []),
    ],
  ] as const;
  for (const [kind, document, serialize] of beside) {
    if (document === undefined) continue;
    const key = layout.documentKey(kind, service);
    const present = stored.get(key);
    if (document === null) {
      if (present === undefined) continue;
      operations.push({ kind: 'delete', key });
      journal(kind, remove);
    } else {
      const value = serialize(document);
      if (present?.value === value) continue;
      operations.push({ kind: 'set', key, value });
      journal(kind, put);
    }
  }
  if (operations.length === 0) return { kind: 'unchanged', service };
  const write = { service, operations, put, remove };
  return { kind: 'write', write: historyNumbers === undefined ? write : { ...write, historyNumbers } };
}

export type Packing =
  | { readonly ok: true; readonly groups: readonly (readonly ServiceWrite[])[] }
  /** This one alone does not fit into a transaction. */
  | { readonly ok: false; readonly tooLarge: ServiceKey; readonly bytes: number };

/** As many whole services in each transaction as fit, in the order given. Leaves room for head and fence. */
export function packWrites(writes: readonly ServiceWrite[]): Packing {
  const roomForOperations = mostOperations - 2;
  const roomForBytes = mostTransactionBytes - bookkeepingBytes;
  const groups: ServiceWrite[][] = [];
  let group: ServiceWrite[] = [];
  let operations = 0;
  let bytes = 0;
  for (const write of writes) {
    const ownBytes = write.operations.reduce((sum, operation) => sum + operationBytes(operation), 0);
    if (ownBytes > roomForBytes) return { ok: false, tooLarge: write.service, bytes: ownBytes };
    const full = operations + write.operations.length > roomForOperations || bytes + ownBytes > roomForBytes;
    if (full && group.length > 0) {
      groups.push(group);
      group = [];
      operations = 0;
      bytes = 0;
    }
    group.push(write);
    operations += write.operations.length;
    bytes += ownBytes;
  }
  if (group.length > 0) groups.push(group);
  return { ok: true, groups };
}

export interface PlannedTransaction {
  readonly operations: readonly Operation[];
  readonly head: Head;
  /** Position of the fence among the operations, if there is one, and of the head. */
  readonly fenceAt: number | undefined;
  readonly headAt: number;
}

/** `head.index` is the store's index of the head that is replaced, 0 where there is none. */
export function planTransaction(
  group: readonly ServiceWrite[],
  present: { readonly head: Head; readonly index: number },
  layout: KeyLayout,
  { fence, awaited }: Pick<PublishOptions, 'fence' | 'awaited'>,
): PlannedTransaction {
  const put = group.flatMap((write) => write.put);
  const remove = group.flatMap((write) => write.remove);
  const entry = { put, remove, awaited: awaited === true };
  const head = group.length === 0 ? present.head : appendToHead(present.head, present.index, entry);
  const operations: Operation[] = [];
  // The fence comes first: a leader that was replaced while it planned must not write, whatever else holds.
  if (fence !== undefined) operations.push({ kind: 'check-session', key: fence.key, session: fence.session });
  operations.push({ kind: 'compare-and-set', key: layout.head, value: serializeHead(head), index: present.index });
  for (const write of group) operations.push(...write.operations);
  return {
    operations,
    head,
    fenceAt: fence === undefined ? undefined : 0,
    headAt: fence === undefined ? 0 : 1,
  };
}

interface KeptFormer {
  readonly operations: readonly Operation[];
  readonly numbers: readonly number[];
}

/** Puts the definition that goes into the history and takes the oldest ones out. */
function keepFormer(present: StoredValue, change: ServiceChange, context: PlanContext): KeptFormer {
  const numbers = context.historyNumbers.toSorted((a, b) => b - a);
  const parsed = parseJson(present.value);
  // A manual edit that was never served must not be offered by a rollback.
  if (!parsed.ok || !checkDefinition(parsed.json, change).ok) return { operations: [], numbers };
  const number = (numbers[0] ?? 0) + 1;
  const entry = { version: 1, number, replacedAt: context.now, replacedBy: context.by, definition: parsed.json };
  const value = serializeDocument(entry);
  if (Buffer.byteLength(value) > mostHistoryValueBytes) return { operations: [], numbers };
  const service = serviceKey(change);
  const key = (n: number) => context.layout.history(service, n);
  // At most two at a time, so that a transaction stays small where a former version kept more entries.
  const tooMany = numbers.slice(mostHistoryEntries - 1).slice(-2);
  return {
    operations: [
      { kind: 'set', key: key(number), value },
      ...tooMany.map((old) => ({ kind: 'delete', key: key(old) }) as const),
    ],
    numbers: [number, ...numbers.filter((old) => !tooMany.includes(old))],
  };
}
