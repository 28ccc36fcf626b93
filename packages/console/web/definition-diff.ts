import type { Definition } from './types.ts';

/** One label that two definitions of a service have differently. */
export interface LabelDifference {
  /** Path of the value: `destinations.0.servicePath`. */
  readonly path: string;
  /** As JSON; absent where the label is only in the other. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

// Written by the registry with every change, whatever was changed.
const bookkeeping: ReadonlySet<string> = new Set(['updatedAt', 'source', 'version', 'since']);

/** What changes from one definition to the other, label by label, in the order of their paths. */
export function differencesOf(before: unknown, after: unknown): readonly LabelDifference[] {
  const [one, other] = [new Map(leavesOf(before)), new Map(leavesOf(after))];
  return [...new Set([...one.keys(), ...other.keys()])]
    .toSorted()
    .filter((path) => one.get(path) !== other.get(path))
    .map((path) => ({ path, before: one.get(path), after: other.get(path) }));
}

/** A definition as the registry holds it: with what its author may leave out. */
export function asRegistered(definition: Definition, owner: string): Definition {
  const { destinations } = definition;
  if (!Array.isArray(destinations)) return { owner, ...definition };
  return { owner, ...definition, destinations: destinations.map((each, at) => ({ index: at, ...each })) };
}

function* leavesOf(value: unknown, path = ''): Generator<readonly [string, string]> {
  if (isNested(value)) {
    for (const [name, inner] of Object.entries(value)) {
      if (!bookkeeping.has(name)) yield* leavesOf(inner, path === '' ? name : `${path}.${name}`);
    }
    return;
  }
  if (value !== undefined && value !== null) yield [path, JSON.stringify(value)];
}

/** Objects, and lists of objects; a list of texts is one value. */
function isNested(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return !Array.isArray(value) || value.some((each) => typeof each === 'object' && each !== null);
}
