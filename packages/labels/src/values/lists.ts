import { isToken, tokenSchema } from './header-names.ts';
import { not, ok, type ParseOptions, type Value } from './value.ts';

/** Parts between separators, trimmed, empty ones dropped. */
export function splitList(text: string, options: ParseOptions): string[] {
  return text
    .split(options.separator === '' ? ',' : options.separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

export const texts: Value<readonly string[]> = {
  parse: (raw, options) => {
    const parts = splitList(raw, options);
    return parts.length === 0 ? not('at least one value') : ok(parts);
  },
  schema: (zod) => zod.array(zod.string().min(1)).min(1),
};

/** Methods are compared as they are written (RFC 9110, section 9.1); labels in lower case mean the usual ones. */
export const methods: Value<readonly string[]> = {
  parse: (raw, options) => {
    const parts = splitList(raw, options).map((part) => part.toUpperCase());
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
