import { parseBoolean } from '@swarmgate/runtime';
import type { z } from 'zod';
import { not, ok, type Value } from './value.ts';

/** Values of one word: texts, Go's booleans, numbers, choices. */

export const text: Value<string> = {
  parse: (raw) => ok(raw.trim()),
  schema: (zod) => zod.string().min(1),
};

export const boolean: Value<boolean> = {
  parse: (raw) => {
    const parsed = parseBoolean(raw.trim());
    return parsed.ok ? ok(parsed.value) : not(parsed.expected);
  },
  schema: (zod) => zod.boolean(),
};

/** A whole number, both limits included. */
export const integer = (least: number, most: number): Value<number> => ({
  parse: (raw) => {
    const trimmed = raw.trim();
    const value = Number(trimmed);
    return /^\d{1,10}$/.test(trimmed) && value >= least && value <= most
      ? ok(value)
      : not(`a whole number from ${least} to ${most}`);
  },
  schema: (zod) => zod.int().min(least).max(most),
});

export const port = integer(1, 65_535);

export const oneOf = <const T extends string>(...allowed: readonly [T, ...T[]]): Value<T> => ({
  parse: (raw) => {
    const found = allowed.find((each) => each === raw.trim());
    return found === undefined ? not(`one of ${allowed.join(', ')}`) : ok(found);
  },
  schema: (zod) => zod.enum(allowed) as unknown as z.ZodType<T>,
});

/** A share of all: 0 for none, 1 for all, with at most six decimals. */
export const share: Value<number> = {
  parse: (raw) => {
    const trimmed = raw.trim();
    const value = Number(trimmed);
    return /^\d(\.\d{1,6})?$/.test(trimmed) && value <= 1 ? ok(value) : not('a number from 0 to 1, such as 0.05');
  },
  schema: (zod) => zod.number().min(0).max(1),
};

const mostSeconds = 2_000_000;

/** Labels hold seconds, whole or with a fraction, as Docker Flow's do; definitions hold milliseconds, at least 1. */
export const seconds: Value<number> = secondsFrom(1, `a number of seconds from 0.001 to ${mostSeconds}`);

/** As `seconds`; 0 means no limit, in labels and in definitions. */
export const secondsOrNoLimit: Value<number> = secondsFrom(
  0,
  `a number of seconds from 0.001 to ${mostSeconds}, or 0 for no limit`,
);

function secondsFrom(leastMs: 0 | 1, expected: string): Value<number> {
  return {
    parse: (raw) => {
      const trimmed = raw.trim();
      const value = Number(trimmed);
      const ms = Math.round(value * 1000);
      // What rounds to 0 was written as a short time, and must not become none.
      const isTooShort = ms < leastMs || (ms === 0 && value > 0);
      return /^\d+(\.\d+)?$/.test(trimmed) && value <= mostSeconds && !isTooShort ? ok(ms) : not(expected);
    },
    schema: (zod) =>
      zod
        .int()
        .min(leastMs)
        .max(mostSeconds * 1000),
  };
}
