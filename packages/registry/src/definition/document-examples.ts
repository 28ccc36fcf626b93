import { destinationLabels, type LabelEntry, overridableLabels, serviceLabels } from '@swarmgate/labels';

/** A field of a document and a value as it is written there. */
export interface FieldExample {
  readonly field: string;
  readonly value: unknown;
}

/** The field that an error at this path is of, and how it is written; `undefined` where there is no example. */
export type ExampleAt = (path: readonly string[]) => FieldExample | undefined;

const written = '2026-01-02T03:04:05.000Z';
const place = { version: 1, service: 'shop', owner: 'manual' } as const;

const ofDefinition = {
  ...place,
  source: { kind: 'rest', by: 'REST from 10.0.0.7' },
  updatedAt: written,
  destinations: [{ servicePath: ['/shop'], port: 8080 }],
} as const;
const ofDestination = { index: 0, since: 0, overrides: { rateLimit: { requests: 100, windowMs: 1_000 } } } as const;
const ofEndpoints = {
  ...place,
  dnsName: 'shop',
  tasks: [{ taskId: 'k3x0z', nodeId: 'n1', state: 'active', addresses: ['10.0.1.5/24'] }],
  published: [{ host: '192.168.0.1', port: 30000, targetPort: 8080 }],
} as const;

/** Labels as the catalogue's own examples have them. */
export function definitionExample(path: readonly string[]): FieldExample | undefined {
  const [first, , field, overridden] = path;
  if (first === undefined) return { field: 'destinations', value: ofDefinition.destinations };
  if (first !== 'destinations') return fieldOf(ofDefinition, first) ?? labelExample(serviceLabels, first);
  if (field === undefined) return fieldOf(ofDefinition, first);
  if (field === 'overrides' && overridden !== undefined) return labelExample(overridableLabels, overridden);
  return fieldOf(ofDestination, field) ?? labelExample(destinationLabels, field);
}

export const endpointsExample: ExampleAt = ([field]) => fieldOf(ofEndpoints, field ?? 'tasks');

function fieldOf(document: object, field: string): FieldExample | undefined {
  const found = Object.entries(document).find(([name]) => name === field);
  return found === undefined ? undefined : { field, value: found[1] };
}

function labelExample(entries: Readonly<Record<string, LabelEntry>>, field: string): FieldExample | undefined {
  if (!Object.hasOwn(entries, field)) return undefined;
  const entry = entries[field];
  const parsed = entry?.parse(entry.example, { separator: ',' });
  return parsed?.ok === true && parsed.value !== undefined ? { field, value: parsed.value } : undefined;
}
