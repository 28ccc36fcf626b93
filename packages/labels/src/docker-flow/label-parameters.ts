import { serviceBounds } from '../definition/check-bounds.ts';

/** The parameters as they were given. Names are without `com.df.`; an empty value is the same as none. */
export type LabelParameters = ReadonlyMap<string, string> | Readonly<Record<string, string | undefined>>;

export interface GivenParameter {
  /** As it was given: `servicePath.2`. */
  readonly fullName: string;
  /** Without index. */
  readonly name: string;
  /** 0 where it has none. */
  readonly index: number;
  readonly value: string;
}

/** Docker Flow reads 10. */
export const mostIndex = serviceBounds.destinations;

/** A destination exists where one of these carries its index. */
const founding = ['servicePath', 'port', 'serviceDomain', 'httpsPort'];

/** In name order, so that problems come out in the same order on every machine. */
export function readParameters(parameters: LabelParameters): readonly GivenParameter[] {
  const pairs = parameters instanceof Map ? [...parameters] : Object.entries(parameters);
  const given: GivenParameter[] = [];
  for (const [fullName, value] of pairs) {
    // Stack files write `com.df.port=${PORT:-}`: empty means not set, as in Docker Flow.
    if (typeof value !== 'string' || value === '') continue;
    const indexed = /^(.+)\.(\d+)$/.exec(fullName);
    given.push({
      fullName,
      name: indexed?.[1] ?? fullName,
      index: indexed === null ? 0 : Number(indexed[2]),
      value,
    });
  }
  return given.toSorted((a, b) => (a.fullName < b.fullName ? -1 : a.fullName > b.fullName ? 1 : 0));
}

/**
 * The indexes of the destinations: 1, 2, … up to the first gap, at most 1,000; or only 0, the un-indexed one. With
 * indexes, un-indexed values are defaults for each of them and no destination of their own.
 */
export function destinationIndexes(given: readonly GivenParameter[]): readonly number[] {
  const founded = new Set(given.filter(({ name }) => founding.includes(name)).map(({ index }) => index));
  const indexes: number[] = [];
  for (let index = 1; index <= mostIndex && founded.has(index); index += 1) indexes.push(index);
  return indexes.length === 0 ? [0] : indexes;
}
