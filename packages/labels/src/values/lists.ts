import { isToken, tokenSchema } from './header-names.ts';
import { splitParts } from './split.ts';
import { usualMethods } from './usual-methods.ts';
import { not, ok, type ParseOptions, type Value } from './value.ts';

/** The parts of a list label, as `splitParts` cuts them: trimmed, without the quotes around whole parts, empty ones dropped. */
export function splitList(text: string, { separator }: ParseOptions): string[] {
  return splitParts(text, separator === '' ? ',' : separator)
    .map(({ text: part }) => part)
    .filter((part) => part !== '');
}

export const texts: Value<readonly string[]> = {
  parse: (raw, options) => {
    const parts = splitList(raw, options);
    return parts.length === 0 ? not('at least one value') : ok(parts);
  },
  schema: (zod) => zod.array(zod.string().min(1)).min(1),
};

/**
 * The method as requests carry it. Methods are compared letter by letter (RFC 9110, section 9.1) and their set is open, but
 * the usual ones may be written in lower case.
 */
export function methodOf(written: string): string {
  const upper = written.toUpperCase();
  return usualMethods.has(upper) ? upper : written;
}

export const methods: Value<readonly string[]> = {
  parse: (raw, options) => {
    const parts = splitList(raw, options).map(methodOf);
    return parts.length > 0 && parts.every(isToken) ? ok(parts) : not('HTTP methods such as GET,POST');
  },
  schema: (zod) => zod.array(tokenSchema(zod)).min(1),
};

/** HAProxy separates media types by spaces. */
export const mediaTypes: Value<readonly string[]> = {
  parse: (raw) => {
    const types = raw
      .trim()
      .toLowerCase()
      .split(/[\s,]+/);
    return types.every((type) => /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+*-]+$/.test(type))
      ? ok(types)
      : not('media types such as text/html application/json');
  },
  schema: texts.schema,
};
