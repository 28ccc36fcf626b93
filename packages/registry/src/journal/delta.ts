import type { Problem, ServiceDefinition, ServiceKey } from '@swarmgate/labels';
import type { EndpointsDocument } from '../definition/endpoints-document.ts';
import type { MaintenanceDocument } from '../definition/maintenance-document.ts';
import type { RegistryChange, Stored } from '../registry.ts';
import type { KeyValueStore } from '../store/key-value-store.ts';
import { mostOperations } from '../store/store-limits.ts';
import { type ReadDocument, readDocument } from './documents.ts';
import { changesSince, type Head, revisionOf } from './head.ts';
import type { KeyLayout } from './key-layout.ts';

/** Documents as last read, by key; `readDelta` brings them up to date. */
export type LatestDocuments = Map<string, { readonly index: number; readonly document: ReadDocument }>;

type Delta = Extract<RegistryChange, { readonly kind: 'delta' }>;

/**
 * What the journal names between two heads, fetched key by key. What is still as it was is left out. `undefined`: the
 * journal does not reach back so far.
 */
export async function readDelta(
  store: KeyValueStore,
  layout: KeyLayout,
  before: Head,
  present: Head,
  documents: LatestDocuments,
  signal: AbortSignal,
): Promise<Delta | undefined> {
  const changes = changesSince(present, before.sequence);
  if (changes === undefined) return undefined;
  const required: string[] = [];
  for (const [relative, change] of changes) {
    const key = layout.prefix + relative;
    // A head that was edited by hand may name anything.
    if (change === 'put' && 'service' in layout.place(key)) required.push(key);
  }
  const services = new Map<ServiceKey, Stored<ServiceDefinition> | undefined>();
  const endpoints = new Map<ServiceKey, Stored<EndpointsDocument> | undefined>();
  const labelProblems = new Map<ServiceKey, readonly Problem[] | undefined>();
  const maintenance = new Map<ServiceKey, Stored<MaintenanceDocument> | undefined>();
  const found = new Map<string, { readonly index: number; readonly document: ReadDocument }>();
  for (let from = 0; from < required.length; from += mostOperations) {
    const some = await store.getMany(required.slice(from, from + mostOperations), signal);
    for (const [key, stored] of some) {
      const known = documents.get(key);
      const place = layout.place(key);
      if (known?.index === stored.index) found.set(key, known);
      else if ('service' in place) found.set(key, { index: stored.index, document: readDocument(place, stored) });
    }
  }
  // Only now: an earlier failure must leave the documents as they were.
  for (const relative of changes.keys()) {
    const key = layout.prefix + relative;
    const place = layout.place(key);
    if (!('service' in place)) continue;
    const known = documents.get(key);
    const now = found.get(key);
    if (now === undefined) documents.delete(key);
    else documents.set(key, now);
    if (known === now) continue;
    if (now === undefined) {
      if (place.kind === 'services') services.set(place.service, undefined);
      else if (place.kind === 'endpoints') endpoints.set(place.service, undefined);
      else if (place.kind === 'maintenance') maintenance.set(place.service, undefined);
      else labelProblems.set(place.service, undefined);
    } else if (now.document.kind === 'services') services.set(place.service, now.document.found);
    else if (now.document.kind === 'endpoints') endpoints.set(place.service, now.document.found);
    else if (now.document.kind === 'maintenance') maintenance.set(place.service, now.document.found);
    else labelProblems.set(place.service, now.document.problems);
  }
  const { sequence } = present;
  return { kind: 'delta', revision: revisionOf(present), sequence, services, endpoints, labelProblems, maintenance };
}
