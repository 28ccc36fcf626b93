import { setImmediate } from 'node:timers/promises';
import type { Problem, ServiceDefinition, ServiceKey } from '@swarmgate/labels';
import type { EndpointsDocument } from '../definition/endpoints-document.ts';
import type { Held, RegistrySnapshot } from '../registry.ts';
import type { KeyValueStore, StoredValue } from '../store/key-value-store.ts';
import { type ReadDocument, readDocument } from './documents.ts';
import { type Head, parseHead, removedKeys, revisionOf } from './head.ts';
import type { KeyLayout } from './key-layout.ts';

/** Documents as they were read, by key, each with the index it was read at. */
export type DocumentsByKey = ReadonlyMap<string, { readonly index: number; readonly document: ReadDocument }>;

/** What an earlier read found: a document that still has its index is still the same object. */
export interface Known {
  readonly head: Head;
  readonly documents: DocumentsByKey;
}

export type FullRead =
  | { readonly kind: 'head-missing' }
  | {
      readonly kind: 'full';
      readonly snapshot: RegistrySnapshot;
      readonly head: Head;
      readonly headIndex: number;
      /** Services whose removal the journal explains. */
      readonly journalled: ReadonlySet<ServiceKey>;
      /** Where the waits for changes beneath the two prefixes begin. */
      readonly names: { readonly services: NamesMark; readonly endpoints: NamesMark };
      readonly documents: DocumentsByKey;
    };

export interface NamesMark {
  readonly index: number;
  readonly empty: boolean;
}

// Checking ten thousand documents takes most of a second; nobody's request may wait for that.
const documentsBetweenTurns = 100;

/**
 * Everything there is. `head` is read first: a token that lost its rights is told so there, while a list would be
 * empty. The snapshot carries that first head's sequence, so whatever is published while the lists are read comes again
 * as a change.
 */
export async function readEverything(
  store: KeyValueStore,
  layout: KeyLayout,
  known: Known | undefined,
  signal: AbortSignal,
): Promise<FullRead> {
  const first = await readHead(store, layout, signal);
  if (first === undefined) return { kind: 'head-missing' };
  const [services, endpoints, labelProblems, topNames] = await Promise.all([
    store.list(layout.services, signal),
    store.list(layout.endpoints, signal),
    store.list(layout.labelProblems, signal),
    store.keys(layout.prefix, '/', signal),
  ]);
  // The token, or the registry, may have gone while we read; and removals made meanwhile must count as explained.
  const last = await readHead(store, layout, signal);
  if (last === undefined) return { kind: 'head-missing' };
  if (last.head.registryId !== first.head.registryId) return readEverything(store, layout, known, signal);

  const foreignKeys = topNames.data.filter((name) => isForeignName(layout, name));
  const documents = new Map<string, { readonly index: number; readonly document: ReadDocument }>();
  // Another registry, or an older state of this one, may give an old index to a new document.
  const trusted = known?.head.registryId === first.head.registryId && known.head.sequence <= first.head.sequence;
  let checked = 0;
  for (const stored of [...services.data, ...endpoints.data, ...labelProblems.data]) {
    const place = layout.place(stored.key);
    if (!('service' in place)) {
      // Consul's UI makes such keys for folders.
      if (!stored.key.endsWith('/')) foreignKeys.push(stored.key);
      continue;
    }
    const before = trusted ? known.documents.get(stored.key) : undefined;
    if (before?.index === stored.index) documents.set(stored.key, before);
    else {
      documents.set(stored.key, { index: stored.index, document: readDocument(place, stored) });
      checked += 1;
      if (checked % documentsBetweenTurns === 0) await setImmediate(undefined, { signal });
    }
  }
  return {
    kind: 'full',
    snapshot: snapshotOf(first.head, documents, foreignKeys),
    head: first.head,
    headIndex: first.index,
    journalled: journalledServices(layout, [first.head, last.head]),
    names: { services: markOf(services), endpoints: markOf(endpoints) },
    documents,
  };
}

/** Whether a name one level beneath the prefix is somebody else's. */
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

function snapshotOf(head: Head, documents: DocumentsByKey, foreignKeys: readonly string[]): RegistrySnapshot {
  const services = new Map<ServiceKey, Held<ServiceDefinition>>();
  const endpoints = new Map<ServiceKey, Held<EndpointsDocument>>();
  const labelProblems = new Map<ServiceKey, readonly Problem[]>();
  for (const { document } of documents.values()) {
    if (document.kind === 'services') services.set(document.service, document.held);
    else if (document.kind === 'endpoints') endpoints.set(document.service, document.held);
    else labelProblems.set(document.service, document.problems);
  }
  return Object.freeze({
    revision: revisionOf(head),
    registryId: head.registryId,
    sequence: head.sequence,
    services,
    endpoints,
    labelProblems,
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

function markOf(listed: { readonly index: number; readonly data: readonly StoredValue[] }): NamesMark {
  return { index: listed.index, empty: listed.data.length === 0 };
}
