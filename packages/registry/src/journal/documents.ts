import type { Problem, ServiceDefinition, ServiceKey } from '@swarmgate/labels';
import { checkDefinition, checkEndpoints } from '../definition/check-definition.ts';
import { checkMaintenance } from '../definition/check-maintenance.ts';
import type { EndpointsDocument } from '../definition/endpoints-document.ts';
import type { MaintenanceDocument } from '../definition/maintenance-document.ts';
import { isSameDefinition } from '../definition/same-definition.ts';
import type { Stored } from '../registry.ts';
import type { StoredValue } from '../store/key-value-store.ts';
import type { PlacedKey } from './key-layout.ts';

/** A stored value, read as the kind of document that its key names. */
export type ReadDocument =
  | { readonly kind: 'services'; readonly service: ServiceKey; readonly found: Stored<ServiceDefinition> }
  | { readonly kind: 'endpoints'; readonly service: ServiceKey; readonly found: Stored<EndpointsDocument> }
  | { readonly kind: 'maintenance'; readonly service: ServiceKey; readonly found: Stored<MaintenanceDocument> }
  | { readonly kind: 'labelProblems'; readonly service: ServiceKey; readonly problems: readonly Problem[] };

type DocumentPlace = Extract<PlacedKey, { readonly service: ServiceKey }>;

/** Never throws: a value that cannot be used comes back with its problems. */
export function readDocument(place: DocumentPlace, stored: StoredValue): ReadDocument {
  const { service } = place;
  if (place.kind === 'labelProblems') return { kind: 'labelProblems', service, problems: readProblems(stored.value) };
  const expected = { owner: place.owner, service: place.name };
  const parsed = parseJson(stored.value);
  const bad = (problems: readonly Problem[]) =>
    ({ ok: false, problems, index: stored.index, raw: stored.value }) as const;
  if (place.kind === 'services') {
    if (!parsed.ok) return { kind: 'services', service, found: bad([notJson('definition', parsed.reason)]) };
    const checked = checkDefinition(parsed.json, expected);
    if (!checked.ok) return { kind: 'services', service, found: bad(checked.problems) };
    const { definition: document, warnings } = checked;
    const good = { ok: true, document, index: stored.index } as const;
    return { kind: 'services', service, found: warnings === undefined ? good : { ...good, warnings } };
  }
  if (place.kind === 'maintenance') {
    if (!parsed.ok)
      return { kind: 'maintenance', service, found: bad([notJson('maintenance document', parsed.reason)]) };
    const checked = checkMaintenance(parsed.json, expected);
    if (!checked.ok) return { kind: 'maintenance', service, found: bad(checked.problems) };
    return { kind: 'maintenance', service, found: { ok: true, document: checked.document, index: stored.index } };
  }
  if (!parsed.ok) return { kind: 'endpoints', service, found: bad([notJson('endpoints document', parsed.reason)]) };
  const checked = checkEndpoints(parsed.json, expected);
  if (!checked.ok) return { kind: 'endpoints', service, found: bad(checked.problems) };
  const { endpoints: document, warnings } = checked;
  const good = { ok: true, document, index: stored.index } as const;
  return { kind: 'endpoints', service, found: warnings === undefined ? good : { ...good, warnings } };
}

/** Readable in Consul's UI. */
export function serializeDocument(document: object): string {
  return JSON.stringify(document, undefined, 2);
}

export function serializeProblems(problems: readonly Problem[]): string {
  return serializeDocument({ version: 1, problems });
}

/** Whether writing `document` over `stored` would change nothing that has an effect. */
export function isWrittenAlready(stored: string, document: object): boolean {
  const parsed = parseJson(stored);
  if (!parsed.ok || typeof parsed.json !== 'object' || parsed.json === null) return false;
  // As it would read back: absent and undefined are the same in JSON.
  return isSameDefinition(parsed.json, JSON.parse(JSON.stringify(document)) as object);
}

/** Deeper documents are none of ours, and functions that call themselves for each level would run out of stack. */
const mostLevels = 64;

/** Never throws. Refuses what is nested deeper than 64 levels. */
export function parseJson(
  text: string,
): { readonly ok: true; readonly json: unknown } | { readonly ok: false; readonly reason: string } {
  if (levelsOf(text) > mostLevels) return { ok: false, reason: `it is nested deeper than ${mostLevels} levels` };
  try {
    return { ok: true, json: JSON.parse(text) };
  } catch (error) {
    // V8 quotes what stands around the fault, which in a manual edit may be a password.
    const reason = error instanceof Error ? error.message.replace(/, (?:\.\.\.)?".*$/s, '') : 'it cannot be read';
    return { ok: false, reason };
  }
}

/** How deep the brackets outside of strings are nested. */
function levelsOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at += 1;
    else if (code === 0x22) isString = !isString;
    else if (isString) continue;
    else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
  return deepest;
}

function notJson(what: string, reason: string): Problem {
  return {
    severity: 'error',
    reason: 'document-not-json',
    message: `the ${what} is not JSON: ${reason}`,
    suggestion: 'correct the value of the key, or publish the service again',
  };
}

function readProblems(value: string): readonly Problem[] {
  const parsed = parseJson(value);
  const json = parsed.ok ? parsed.json : undefined;
  if (typeof json !== 'object' || json === null || !('problems' in json) || !Array.isArray(json.problems)) return [];
  return json.problems.filter(isProblem).slice(0, mostProblems);
}

/** Of one service: what people read, and what a status page can show. */
const mostProblems = 1_000;

function isProblem(json: unknown): json is Problem {
  if (typeof json !== 'object' || json === null) return false;
  const { severity, reason, message, ...optional } = json as Readonly<Record<string, unknown>>;
  const isOptional = (name: string) => optional[name] === undefined || typeof optional[name] === 'string';
  return (
    (severity === 'error' || severity === 'warning') &&
    typeof reason === 'string' &&
    typeof message === 'string' &&
    ['label', 'value', 'suggestion', 'otherService'].every(isOptional)
  );
}
