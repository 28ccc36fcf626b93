import { isDeepStrictEqual } from 'node:util';
import type { LabelEntry } from '../catalogue/label-entry.ts';
import { destinationLabels, serviceLabels } from '../catalogue/labels.ts';
import type { ServiceDefinition } from './service-definition.ts';

/**
 * Names of the labels, without prefix and with the index of theirs, by which one definition differs from the one that took
 * its place: those of the service first, then those of each destination. Empty where they are equivalent. Pure.
 */
export function changedLabels(before: ServiceDefinition, after: ServiceDefinition): readonly string[] {
  const changed = differing(serviceLabels, before, after);
  const indices = [...before.destinations, ...after.destinations].map(({ index }) => index);
  for (const index of [...new Set(indices)].toSorted((a, b) => a - b)) {
    const [left, right] = [before, after].map(({ destinations }) => destinations.find((each) => each.index === index));
    const names = [
      ...differing(destinationLabels, left ?? {}, right ?? {}),
      ...differing(serviceLabels, left?.overrides ?? {}, right?.overrides ?? {}),
    ];
    changed.push(...names.map((name) => (index === 0 ? name : `${name}.${index}`)));
  }
  return changed;
}

function differing(labels: object, before: object, after: object): string[] {
  const [left, right] = [before, after].map((each) => new Map<string, unknown>(Object.entries(each)));
  return (Object.entries(labels) as [string, LabelEntry][])
    .filter(([field]) => !isDeepStrictEqual(left?.get(field), right?.get(field)))
    .map(([, { name }]) => name);
}
