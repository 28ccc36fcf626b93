import { isRestricting, nearestName, type ServiceDefinition } from '@swarmgate/labels';
import { definitionSchema, destinationShape } from './definition-schema.ts';

const ofService: ReadonlySet<string> = new Set(Object.keys(definitionSchema.shape));
const ofDestination: ReadonlySet<string> = new Set(Object.keys(destinationShape));
const known = [...ofService, ...ofDestination];

/** Words in names of fields that restrict access, whatever version wrote them. */
const restrictingWords = new Set(
  'allow allowed auth authentication authorization block blocked denied deny forbid forbidden jwt oauth oidc only password passwords restrict restricted users verify whitelist'.split(
    ' ',
  ),
);

/**
 * The definition with a feature `field:<name>`, which no proxy has, in `requires` for each field of the document that is
 * unknown there and may restrict access: a restricting label that is misspelt or misplaced, or one of a later version whose
 * name shows it. Its routes respond with 503 instead of being open to all.
 */
export function withUnknownRestrictions(definition: ServiceDefinition, json: object): ServiceDefinition {
  const destinations = 'destinations' in json && Array.isArray(json.destinations) ? json.destinations : [];
  const own = unknownRestrictions(json, ofService);
  const ofEach = definition.destinations.map((_, at): readonly string[] => {
    const destination: unknown = destinations[at];
    return typeof destination === 'object' && destination !== null
      ? unknownRestrictions(destination, ofDestination)
      : [];
  });
  if (own.length === 0 && ofEach.every((features) => features.length === 0)) return definition;
  return {
    ...requiring(definition, own),
    destinations: definition.destinations.map((destination, at) => requiring(destination, ofEach[at] ?? [])),
  };
}

/** Whether an unknown field may restrict access; its warning then states it. */
export function mayRestrict(name: string): boolean {
  if (isRestricting(name)) return true;
  const nearest = nearestName(name, known);
  if (nearest !== undefined && isRestricting(nearest)) return true;
  const words = name.slice(0, 100).split(/(?=[A-Z])|[^A-Za-z]+/);
  return words.some((word) => restrictingWords.has(word.toLowerCase()));
}

function unknownRestrictions(json: object, expected: ReadonlySet<string>): readonly string[] {
  return Object.keys(json)
    .filter((name) => !expected.has(name) && mayRestrict(name))
    .slice(0, 20)
    .map((name) => `field:${name.slice(0, 90)}`);
}

function requiring<T extends { readonly requires?: readonly string[] }>(fields: T, features: readonly string[]): T {
  return features.length === 0 ? fields : { ...fields, requires: [...(fields.requires ?? []), ...features] };
}
