import type { LabelEntry } from '../catalogue/label-entry.ts';
import { destinationLabels, serviceLabels } from '../catalogue/labels.ts';
import type { Destination, ServiceDefinition } from './service-definition.ts';

/** Every restricting feature of this version. A proxy that serves a definition honours each feature that it requires. */
export const knownFeatures: ReadonlySet<string> = new Set([
  // Of `overrides`, which is no label: a reader without it would serve with what holds for the whole service.
  'overrides',
  ...entriesOf({ ...serviceLabels, ...destinationLabels }).flatMap(([, { restricts }]) =>
    restricts === undefined ? [] : [restricts],
  ),
]);

/**
 * The definition with `requires`, on the service and on each destination: the restricting features that their labels use,
 * in alphabetical order, absent where there are none; unknown features that were stated already stay. A reader of another version that lacks one responds with 503 instead of
 * serving without it. Pure.
 */
export function withRequires(definition: ServiceDefinition): ServiceDefinition {
  return {
    ...stated(definition, serviceLabels),
    destinations: definition.destinations.map((destination) => {
      const overriding =
        destination.overrides === undefined ? [] : ['overrides', ...featuresOf(destination.overrides, serviceLabels)];
      return stated(destination, destinationLabels, overriding);
    }),
  };
}

/** The first feature that a destination requires, of its own or by its service, and that is not among `supported`. */
export function lackingFeature(
  definition: Pick<ServiceDefinition, 'requires'>,
  destination: Pick<Destination, 'requires'>,
  supported: ReadonlySet<string> = knownFeatures,
): string | undefined {
  return [...(definition.requires ?? []), ...(destination.requires ?? [])].find((feature) => !supported.has(feature));
}

/** Whether a field, by its name in a definition or by its label's, restricts access in this version. */
export function isRestricting(name: string): boolean {
  return restrictingNames.has(name);
}

const restrictingNames = new Set([
  'overrides',
  ...entriesOf({ ...serviceLabels, ...destinationLabels })
    .filter(([, { restricts }]) => restricts !== undefined)
    .flatMap(([field, { name }]) => [field, name]),
]);

function featuresOf(fields: object, entries: object): readonly string[] {
  const values = new Map<string, unknown>(Object.entries(fields));
  return entriesOf(entries).flatMap(([field, { restricts }]) =>
    restricts !== undefined && isRequested(values.get(field)) ? [restricts] : [],
  );
}

function stated<T extends { readonly requires?: readonly string[] }>(
  fields: T,
  entries: object,
  more: readonly string[] = [],
): T {
  const { requires: former = [], ...rest } = fields;
  const features = [...more, ...featuresOf(fields, entries)];
  // What a reader found to be unknown stays: only this version's own features are stated again.
  const unknown = former.filter((feature) => !knownFeatures.has(feature));
  const requires = [...new Set([...features, ...unknown])].sort();
  return (requires.length === 0 ? rest : { ...rest, requires }) as T;
}

/** An empty list restricts too: it lets nothing in. */
function isRequested(value: unknown): boolean {
  return value !== undefined && value !== false;
}

function entriesOf(entries: object): readonly [string, LabelEntry][] {
  return Object.entries(entries) as [string, LabelEntry][];
}
