import type { Problem } from '@swarmgate/labels';
import { nearestName } from '@swarmgate/labels';
import { definitionSchema, destinationShape, serviceLabelsShape } from './definition-schema.ts';
import { mayRestrict } from './unknown-restrictions.ts';

const ofService: ReadonlySet<string> = new Set(Object.keys(definitionSchema.shape));
const ofDestination: ReadonlySet<string> = new Set(Object.keys(destinationShape));
const labels: ReadonlySet<string> = new Set(Object.keys(serviceLabelsShape));
/** More misspelt fields than these are no typing mistakes, and problems go into a value of bounded size. */
const mostUnknown = 20;

/**
 * A warning for every field that no version reads, in the service and in its destinations: a label that is misspelt in a
 * manual edit would silently have no effect. Values are not shown: it may be a misspelt `users`.
 */
export function unknownFields(json: object): readonly Problem[] {
  const found: Problem[] = [];
  for (const name of Object.keys(json)) if (!ofService.has(name)) found.push(unknownInService(name));
  const destinations = 'destinations' in json && Array.isArray(json.destinations) ? json.destinations : [];
  for (const [at, destination] of destinations.entries()) {
    if (typeof destination !== 'object' || destination === null) continue;
    for (const name of Object.keys(destination)) {
      if (!ofDestination.has(name)) found.push(unknownInDestination(name, at));
    }
  }
  return found.slice(0, mostUnknown);
}

function unknownInService(name: string): Problem {
  if (ofDestination.has(name)) return unknown(name, `move ${name} into a destination`);
  return unknown(name, meant(nearestName(name, [...ofService, ...ofDestination])));
}

function unknownInDestination(name: string, at: number): Problem {
  const where = `destinations.${at}.${name}`;
  if (labels.has(name)) return unknown(where, `move ${name} out of the destination, beside destinations`);
  return unknown(where, meant(nearestName(name, [...ofDestination, ...labels])));
}

function meant(nearest: string | undefined): string | undefined {
  return nearest === undefined ? undefined : `did you mean ${nearest}?`;
}

function unknown(where: string, suggestion: string | undefined): Problem {
  const shown = where.slice(0, 200);
  return {
    severity: 'warning',
    reason: 'field-unknown',
    message: mayRestrict(where.split('.').at(-1) ?? '')
      ? `a definition has no field ${shown} there; it may restrict access, so its routes respond with 503`
      : `a definition has no field ${shown} there; it is ignored`,
    label: shown,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}
