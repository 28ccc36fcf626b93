import { splitList } from './lists.ts';
import { not, ok, type Value } from './value.ts';

const form = /^(?:plain|ssl|[1-9]\d{0,4}(?::ssl)?)$/;

/** `plain`, `ssl`, `8080`, `443:ssl`. */
export const entryPorts: Value<readonly string[]> = {
  parse: (raw, options) => {
    const parts = splitList(raw, options);
    return parts.length > 0 && parts.every(isEntryPort)
      ? ok(parts)
      : not('plain, ssl, or ports such as 8080 and 443:ssl');
  },
  schema: (zod) => zod.array(zod.string().refine(isEntryPort, 'expected plain, ssl, 8080 or 443:ssl')),
};

function isEntryPort(text: string): boolean {
  return form.test(text) && (text === 'plain' || text === 'ssl' || Number.parseInt(text, 10) <= 65_535);
}

const mostPriority = 2_147_483_647;

export const priority: Value<number> = {
  parse: (raw) => {
    const value = Number(raw.trim());
    return /^-?\d{1,10}$/.test(raw.trim()) && Math.abs(value) <= mostPriority ? ok(value) : not('a whole number');
  },
  schema: (zod) => zod.int().min(-mostPriority).max(mostPriority),
};
