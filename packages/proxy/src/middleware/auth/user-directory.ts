import { join } from 'node:path';
import { isPasswordHash, readUser, splitUsers } from '@swarmgate/labels';
import type { ServiceDefinition } from '@swarmgate/registry/vocabulary';
import { type Logger, readRegularFile } from '@swarmgate/runtime';
import type { Credential } from './password-verifier.ts';

/** Credentials by user name. Empty: access is denied to all. */
export type Users = ReadonlyMap<string, Credential>;

export interface UserDirectoryOptions {
  /** `USERS`. */
  readonly users: string | undefined;
  /** `USERS_PASS_ENCRYPTED`. */
  readonly usersPassEncrypted: boolean;
  /** Where `dfp_users_<name>` files are. Default `/run/secrets`. */
  readonly secretsDir?: string;
  readonly logger: Logger;
}

type Labels = Pick<ServiceDefinition, 'users' | 'usersSecret' | 'usersPassEncrypted'>;

export type UsersFault =
  | { readonly kind: 'secret-missing' | 'secret-empty'; readonly secret: string }
  /** `missing` of the `named` users have no password anywhere. */
  | { readonly kind: 'without-password'; readonly missing: number; readonly named: number };

// Docker never changes a mounted secret; a bind-mounted file may change. How long the old contents are used.
const cachedMs = 10_000;

/** The users of a service, wherever they are written: in its labels, in a secret file, in `USERS`. */
export class UserDirectory {
  readonly global: Users;
  readonly #options: UserDirectoryOptions;
  readonly #files = new Map<string, { readonly readAtMs: number; readonly text: string | undefined }>();

  constructor(options: UserDirectoryOptions) {
    this.#options = options;
    this.global = usersIn(options.users ?? '', options.usersPassEncrypted);
  }

  /** Whether a route needs credentials, by the service's labels or by `USERS`. */
  requiredBy(labels: Labels): 'service' | 'global' | 'none' {
    if (labels.users !== undefined || labels.usersSecret !== undefined) return 'service';
    return this.#options.users === undefined ? 'none' : 'global';
  }

  /**
   * A service's own users. A name without a password is looked up in `usersSecret`, without one in `USERS`; `usersSecret`
   * alone means all of its users. Unresolvable users are left out, so in the worst case access is denied to all.
   */
  of(labels: Labels): Users | Promise<Users> {
    const needsFile = labels.usersSecret !== undefined;
    if (!needsFile) return resolve(labels, this.global);
    const known = this.#files.get(labels.usersSecret);
    if (known !== undefined && performance.now() - known.readAtMs < cachedMs) return this.#withFile(labels, known.text);
    return this.#read(labels.usersSecret).then((text) => this.#withFile(labels, text));
  }

  /** Why users that the labels name cannot be let in; `undefined` where all of them can, or the labels name none. */
  async fault(labels: Labels): Promise<UsersFault | undefined> {
    if (this.requiredBy(labels) !== 'service') return undefined;
    const { usersSecret: secret, users: named = [] } = labels;
    if (secret !== undefined) {
      const text = this.#recent(secret) ?? (await this.#read(secret));
      if (text === undefined) return { kind: 'secret-missing', secret };
      if (labels.users === undefined && usersIn(text, labels.usersPassEncrypted === true).size === 0)
        return { kind: 'secret-empty', secret };
    }
    const resolved = await this.of(labels);
    const missing = named.filter(({ username }) => !resolved.has(username)).length;
    return missing === 0 ? undefined : { kind: 'without-password', missing, named: named.length };
  }

  #recent(secret: string): string | undefined {
    const known = this.#files.get(secret);
    return known !== undefined && performance.now() - known.readAtMs < cachedMs ? known.text : undefined;
  }

  #withFile(labels: Labels, text: string | undefined): Users {
    const inFile = usersIn(text ?? '', labels.usersPassEncrypted === true);
    return labels.users === undefined ? inFile : resolve(labels, inFile);
  }

  async #read(secret: string): Promise<string | undefined> {
    // The name came from a label: it names a file of its kind and nothing else.
    const file = join(
      this.#options.secretsDir ?? '/run/secrets',
      `dfp_users_${secret.replace(/[^A-Za-z0-9._-]/g, '_')}`,
    );
    let text: string | undefined;
    try {
      text = await readRegularFile(file);
    } catch (error) {
      this.#options.logger.error(
        { err: error, file },
        'cannot read a secret file with users; its users are denied access',
      );
    }
    this.#files.set(secret, { readAtMs: performance.now(), text });
    return text;
  }
}

function resolve(labels: Labels, elsewhere: Users): Users {
  const users = new Map<string, Credential>();
  for (const { username, passwordHash } of labels.users ?? []) {
    const credential: Credential | undefined =
      passwordHash === undefined ? lookUp(elsewhere, username) : { kind: 'hash', hash: passwordHash };
    if (credential !== undefined) users.set(username, credential);
  }
  return users;
}

/** Docker Flow compares these names without case; an exact one goes first. */
function lookUp(users: Users, username: string): Credential | undefined {
  const exact = users.get(username);
  if (exact !== undefined) return exact;
  const lower = username.toLowerCase();
  return [...users].find(([name]) => name.toLowerCase() === lower)?.[1];
}

function usersIn(text: string, encrypted: boolean): Users {
  const users = new Map<string, Credential>();
  // One bad line costs itself only, so entries are read one by one.
  for (const part of splitUsers(text)) {
    const { username = '', password } = readUser(part) ?? {};
    if (password === undefined) continue;
    if (!encrypted) users.set(username, { kind: 'plain', password });
    else if (isPasswordHash(password)) users.set(username, { kind: 'hash', hash: password });
  }
  return users;
}
