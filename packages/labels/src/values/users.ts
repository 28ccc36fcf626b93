import { isPasswordHash } from './password-hash.ts';
import { not, ok, type Value } from './value.ts';

export interface UserEntry {
  readonly username: string;
  /** crypt(3) or our own salted scrypt hash. Absent: the password is looked up in `usersSecret`, else in `USERS`. */
  readonly passwordHash?: string;
}

/** A user as a label or a users file states it. */
export interface GivenUser {
  readonly username: string;
  readonly password?: string;
}

/** The entries of a text by comma or line; a backslash keeps a comma in its place. Empty ones are dropped. */
export function splitUsers(raw: string): string[] {
  return raw
    .split(/(?<!\\),|\n/)
    .map((part) => part.replaceAll('\\,', ',').trim())
    .filter((part) => part !== '');
}

/**
 * `name:password` by comma or line, whatever `SEPARATOR` is; a name alone is looked up elsewhere. `undefined` where one
 * of them has no name or an empty password.
 */
export function readUsers(raw: string): readonly GivenUser[] | undefined {
  const users: GivenUser[] = [];
  for (const part of splitUsers(raw)) {
    const user = readUser(part);
    if (user === undefined) return undefined;
    users.push(user);
  }
  return users;
}

/** One entry of `splitUsers`. `undefined` without a name, or with an empty password. */
export function readUser(part: string): GivenUser | undefined {
  const colon = part.indexOf(':');
  const username = (colon === -1 ? part : part.slice(0, colon)).trim();
  const password = colon === -1 ? undefined : part.slice(colon + 1).trim();
  if (username === '' || password === '') return undefined;
  return password === undefined ? { username } : { username, password };
}

/** The names only: passwords travel apart from the definition until they are hashed. */
export const users: Value<readonly UserEntry[]> = {
  parse: (raw) => {
    const read = readUsers(raw);
    if (read === undefined || read.length === 0) return not('users such as jane:secret,joe:secret or jane,joe');
    return ok(read.map(({ username }) => ({ username })));
  },
  schema: (zod) =>
    zod
      .array(
        zod.object({
          username: zod.string().min(1),
          passwordHash: zod
            .string()
            .refine(
              isPasswordHash,
              'expected a salted hash ($5$, $6$, $2b$, $apr1$ or $scrypt$), never a plain password',
            )
            .exactOptional(),
        }),
      )
      .min(1),
};
