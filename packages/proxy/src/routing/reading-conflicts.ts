import { isRestricting } from '@swarmgate/labels';
import type { RequestTarget } from '../model/request-target.ts';
import { takesMethod } from './conditions.ts';
import type { CompiledRoute } from './match-rule.ts';
import { pathMatches } from './path-pattern.ts';
import type { PathReading } from './path-readings.ts';

/** Why a reading makes a request ambiguous. */
export type ReadingConflict = 'destination' | 'exclusion' | 'access' | 'method';

/**
 * Whether a reading of the path restricts the request further than the path itself does.
 *
 * | reading | is refused where |
 * |---|---|
 * | `%2F`, `%5C`, `\` as separators | it reaches another destination, or the chosen one excludes it |
 * | `//` or `;x` kept | the chosen destination excludes it, or another one that it reaches is stricter |
 *
 * @param chosen what the path itself reaches: one route, or those that share it by weight; none: no route
 * @param reached the same of the reading
 */
export function conflictOfReading(
  reading: PathReading,
  chosen: readonly CompiledRoute[],
  reached: readonly CompiledRoute[],
  target: RequestTarget,
): ReadingConflict | undefined {
  if (isSame(chosen, reached)) return undefined;
  const isSeparated = reading.slashes === 'merged' && reading.parameters === 'cut';
  if (isSeparated && reached.length > 0) return 'destination';
  if (chosen.some(({ conditions }) => conditions.excludes.some((exclude) => pathMatches(exclude, reading.path))))
    return 'exclusion';
  if (chosen.length === 0) return undefined;
  for (const other of reached) {
    if (
      chosen.every((one) => takesMethod(one.conditions, target.method)) &&
      !takesMethod(other.conditions, target.method)
    )
      return 'method';
    if (chosen.some((one) => isStricter(other, one))) return 'access';
  }
  return undefined;
}

function isSame(chosen: readonly CompiledRoute[], reached: readonly CompiledRoute[]): boolean {
  return chosen.length === reached.length && chosen.every((each) => reached.includes(each));
}

/** Whether a restriction of `one` is absent from `other`, or another one there. */
function isStricter({ route: one }: CompiledRoute, { route: other }: CompiledRoute): boolean {
  if (one.blockedBy !== undefined && other.blockedBy === undefined) return true;
  if (other.destination.ignoreAuthorization === true && one.destination.ignoreAuthorization !== true) return true;
  return hasMore(one.definition, other.definition) || hasMore(one.destination, other.destination);
}

function hasMore(one: object, other: object): boolean {
  const others = new Map<string, unknown>(Object.entries(other));
  return Object.entries(one).some(
    ([field, value]) =>
      // Methods are compared with the request's, above.
      !/^(allowed|denied)Methods$/.test(field) &&
      isRestricting(field) &&
      value !== false &&
      JSON.stringify(value) !== JSON.stringify(others.get(field)),
  );
}
