import { setImmediate } from 'node:timers/promises';
import type { Problem, ServiceDefinition, ServiceKey } from '@swarmgate/labels';
import type { EndpointsDocument } from '../definition/endpoints-document.ts';
import type { MaintenanceDocument } from '../definition/maintenance-document.ts';
import type { RegistrySnapshot, Stored } from '../registry.ts';
import { Slices } from '../slices.ts';
import type { KeyValueStore, StoredValue } from '../store/key-value-store.ts';
import { type ReadDocument, readDocument } from './documents.ts';
import { differenceOf, type Head, type HeadAt, isContinuation, parseHead, removedKeys, revisionOf } from './head.ts';
import type { KeyLayout } from './key-layout.ts';

/** Documents as they were read, by key, each with the index it was read at. */
export type DocumentsByKey = ReadonlyMap<string, ReadAt>;

interface ReadAt {
  readonly index: number;
  readonly document: ReadDocument;
}

/** What an earlier read found: a document that still has its index is still the same object. */
export interface Known extends HeadAt {
  readonly documents: DocumentsByKey;
}

export interface KnownBefore extends Known {
  /** The store was away since: what is there now may be a backup in another store, which counts its indexes by itself. */
  readonly isInterrupted: boolean;
}

export type FullRead = { readonly kind: 'head-missing' } | CompleteRead;

export interface CompleteRead {
  readonly kind: 'full';
  readonly snapshot: RegistrySnapshot;
  readonly head: Head;
  readonly headIndex: number;
  /** Services whose removal the journal explains. */
  readonly journalled: ReadonlySet<ServiceKey>;
  /** Where the blocking queries on the two prefixes begin. */
  readonly names: { readonly services: PrefixIndex; readonly endpoints: PrefixIndex };
  readonly documents: DocumentsByKey;
}

/** The store's index of a prefix, and whether there was no key below it. */
export interface PrefixIndex {
  readonly index: number;
  readonly isEmpty: boolean;
}

/**
 * All documents. `head` is read first: a token that lost its rights gets an error there, while Consul's lists would be
 * empty. The snapshot carries the sequence of that first head, so a change that is published while the lists are read
 * comes again as a delta.
 */
export async function readEverything(
  store: KeyValueStore,
  layout: KeyLayout,
  known: KnownBefore | undefined,
  signal: AbortSignal,
): Promise<FullRead> {
  const first = await readHead(store, layout, signal);
  if (first === undefined) return { kind: 'head-missing' };
  // Another registry, or an older state of this one, may give an old index to a new document.
  const unchanged = new UnchangedDocuments(
    known !== undefined && hasSameIndexes(first, known) ? known.documents : new Map(),
  );
  const [services, endpoints, labelProblems, maintenance, topNames] = await Promise.all([
    store.list(layout.services, signal, unchanged.isKnown),
    store.list(layout.endpoints, signal, unchanged.isKnown),
    store.list(layout.labelProblems, signal, unchanged.isKnown),
    store.list(layout.maintenance, signal, unchanged.isKnown),
    store.keys(layout.prefix, '/', signal),
  ]);
  // The token, or the registry, may have gone meanwhile; and removals made meanwhile must count as explained.
  const last = await readHead(store, layout, signal);
  if (last === undefined) return { kind: 'head-missing' };
  if (last.head.registryId !== first.head.registryId) {
    await setImmediate(undefined, { signal });
    return readEverything(store, layout, known, signal);
  }
  const listed = [...services.data, ...endpoints.data, ...labelProblems.data, ...maintenance.data];
  const read = await readDocuments(layout, listed, unchanged, signal);
  const foreignKeys = [...topNames.data.filter((name) => isForeignName(layout, name)), ...read.foreignKeys];
  return {
    kind: 'full',
    snapshot: await snapshotOf(first.head, read.documents, foreignKeys, signal),
    head: first.head,
    headIndex: first.index,
    journalled: journalledServices(layout, [first.head, last.head]),
    names: { services: prefixIndex(services), endpoints: prefixIndex(endpoints) },
    documents: read.documents,
  };
}

function hasSameIndexes({ head, index }: { readonly head: Head; readonly index: number }, known: KnownBefore): boolean {
  if (head.registryId !== known.head.registryId) return false;
  return isContinuation({ head, headIndex: index }, known) ?? !known.isInterrupted;
}

/** How far a follower has come: everything that it would read again is the same, apart from manual edits. */
export interface FollowedState extends Known {
  readonly foreignKeys: readonly string[];
  readonly names: CompleteRead['names'];
}

/**
 * As `readEverything`, with only one of the two prefixes listed, where a manual edit was noticed below that one alone: in
 * a large registry each list takes a quarter of a second. `undefined`: by the head this is not enough.
 */
export async function readOnePrefix(
  store: KeyValueStore,
  layout: KeyLayout,
  of: 'services' | 'endpoints',
  known: FollowedState,
  signal: AbortSignal,
): Promise<CompleteRead | undefined> {
  const unchanged = new UnchangedDocuments(known.documents);
  const listed = await store.list(layout[of], signal, unchanged.isKnown);
  // After the list: with a lost token, or in another registry, the list may be empty for that reason.
  const last = await readHead(store, layout, signal);
  if (last === undefined || differenceOf({ head: last.head, headIndex: last.index }, known) !== undefined)
    return undefined;
  const read = await readDocuments(layout, listed.data, unchanged, signal);
  const documents = new Map(read.documents);
  const isElsewhere = (key: string) => !key.startsWith(layout[of]);
  for (const [key, document] of known.documents) if (isElsewhere(key)) documents.set(key, document);
  const foreignKeys = [...known.foreignKeys.filter(isElsewhere), ...read.foreignKeys];
  return {
    kind: 'full',
    snapshot: await snapshotOf(known.head, documents, foreignKeys, signal),
    head: known.head,
    headIndex: known.headIndex,
    journalled: journalledServices(layout, [known.head, last.head]),
    names: { ...known.names, [of]: prefixIndex(listed) },
    documents,
  };
}

/**
 * The documents that a list need not carry, as they were when it was read: changes that are followed meanwhile may put others in
 * their place, and then the list has no text of them.
 */
class UnchangedDocuments {
  readonly #known: DocumentsByKey;
  readonly #found = new Map<string, ReadAt>();

  constructor(known: DocumentsByKey) {
    this.#known = known;
  }

  readonly isKnown = (key: string, index: number): boolean => {
    const before = this.#known.get(key);
    if (before?.index !== index) return false;
    this.#found.set(key, before);
    return true;
  };

  of({ key, index }: StoredValue): ReadAt | undefined {
    const before = this.#found.get(key) ?? this.#known.get(key);
    return before?.index === index ? before : undefined;
  }
}

async function readDocuments(
  layout: KeyLayout,
  listed: readonly StoredValue[],
  unchanged: UnchangedDocuments,
  signal: AbortSignal,
): Promise<{ readonly documents: DocumentsByKey; readonly foreignKeys: readonly string[] }> {
  const documents = new Map<string, ReadAt>();
  const foreignKeys: string[] = [];
  // Checking ten thousand documents takes most of a second, and going through known ones some milliseconds.
  const slices = new Slices();
  for (const stored of listed) {
    if (slices.isOver()) await slices.next(signal);
    const before = unchanged.of(stored);
    if (before !== undefined) {
      documents.set(stored.key, before);
      continue;
    }
    const place = layout.place(stored.key);
    if ('service' in place) documents.set(stored.key, { index: stored.index, document: readDocument(place, stored) });
    // Consul's UI makes keys that end in a slash for folders.
    else if (!stored.key.endsWith('/')) foreignKeys.push(stored.key);
  }
  return { documents, foreignKeys };
}

/** Whether a name one level below the instance's prefix is none of the layout. */
export function isForeignName(layout: KeyLayout, name: string): boolean {
  if (name === layout.prefix || name === `${layout.prefix}problems/`) return false;
  return layout.place(name.endsWith('/') ? `${name}owner/service` : name).kind === 'foreign';
}

async function readHead(
  store: KeyValueStore,
  layout: KeyLayout,
  signal: AbortSignal,
): Promise<{ readonly head: Head; readonly index: number } | undefined> {
  const stored = await store.get(layout.head, signal);
  const head = stored === undefined ? undefined : parseHead(stored.value);
  return head === undefined || stored === undefined ? undefined : { head, index: stored.index };
}

async function snapshotOf(
  head: Head,
  documents: DocumentsByKey,
  foreignKeys: readonly string[],
  signal: AbortSignal,
): Promise<RegistrySnapshot> {
  const services = new Map<ServiceKey, Stored<ServiceDefinition>>();
  const endpoints = new Map<ServiceKey, Stored<EndpointsDocument>>();
  const labelProblems = new Map<ServiceKey, readonly Problem[]>();
  const maintenance = new Map<ServiceKey, Stored<MaintenanceDocument>>();
  const slices = new Slices();
  for (const { document } of documents.values()) {
    if (slices.isOver()) await slices.next(signal);
    if (document.kind === 'services') services.set(document.service, document.found);
    else if (document.kind === 'endpoints') endpoints.set(document.service, document.found);
    else if (document.kind === 'maintenance') maintenance.set(document.service, document.found);
    else labelProblems.set(document.service, document.problems);
  }
  return Object.freeze({
    revision: revisionOf(head),
    registryId: head.registryId,
    sequence: head.sequence,
    services,
    endpoints,
    labelProblems,
    maintenance,
    foreignKeys: Object.freeze(foreignKeys.toSorted()),
  });
}

function journalledServices(layout: KeyLayout, heads: readonly Head[]): ReadonlySet<ServiceKey> {
  const services = new Set<ServiceKey>();
  for (const head of heads) {
    for (const key of removedKeys(head)) {
      const place = layout.place(layout.prefix + key);
      if (place.kind === 'services') services.add(place.service);
    }
  }
  return services;
}

function prefixIndex(listed: { readonly index: number; readonly data: readonly StoredValue[] }): PrefixIndex {
  return { index: listed.index, isEmpty: listed.data.length === 0 };
}
