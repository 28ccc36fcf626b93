import { not, ok, type Value } from './value.ts';

const expected =
  'attributes such as Path=/; HttpOnly; SameSite=None; Secure; Max-Age=3600; Domain=example.com, each once';

/** The forms of RFC 6265, section 4.1.1; SameSite of its successor. Each as it is written into the cookie. */
const forms: Readonly<Record<string, (value: string) => string | undefined>> = {
  path: (value) => (/^\/[\x21-\x3a\x3c-\x7e]*$/.test(value) ? `Path=${value}` : undefined),
  // A dot before it means nothing (section 5.2.3).
  domain: (value) =>
    /^\.?[a-z0-9-]+(\.[a-z0-9-]+)*$/i.test(value) && value.length <= 253
      ? `Domain=${value.replace(/^\./, '')}`
      : undefined,
  'max-age': (value) => (/^\d{1,9}$/.test(value) ? `Max-Age=${value}` : undefined),
  samesite: (value) => {
    const mode = ['Lax', 'Strict', 'None'].find((each) => each.toLowerCase() === value.toLowerCase());
    return mode && `SameSite=${mode}`;
  },
  secure: (value) => (value === '' ? 'Secure' : undefined),
  httponly: (value) => (value === '' ? 'HttpOnly' : undefined),
};

/** Attributes as they stand behind a cookie’s value. `Path=/` is added where there is no path, and Secure to SameSite=None, which browsers refuse without it. */
export const cookieAttributes: Value<string> = {
  parse: (raw) => {
    const written = new Map<string, string>();
    for (const part of raw.split(';')) {
      const [name = '', ...value] = part.split('=');
      const key = name.trim().toLowerCase();
      const text = Object.hasOwn(forms, key) ? forms[key]?.(value.join('=').trim()) : undefined;
      if (text === undefined || written.has(key)) return not(expected);
      written.set(key, text);
    }
    if (written.get('samesite') === 'SameSite=None') written.set('secure', 'Secure');
    return ok([...(written.has('path') ? [] : ['Path=/']), ...written.values()].join('; '));
  },
  // A definition that was written by hand may hold them in any form. What stands behind the cookie is always this one.
  schema: (zod) =>
    zod
      .string()
      .refine((text) => normalized(text) !== undefined, expected)
      .overwrite((text) => normalized(text) ?? ''),
};

function normalized(text: string): string | undefined {
  const parsed = cookieAttributes.parse(text, { separator: ',' });
  return parsed.ok ? parsed.value : undefined;
}
