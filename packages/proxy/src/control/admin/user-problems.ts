import type { Problem, ServiceDefinition, ServiceKey } from '@swarmgate/registry';
import { type Settings, silentLogger } from '@swarmgate/runtime';
import { UserDirectory, type UsersFault } from '../../middleware/auth/user-directory.ts';

export interface UserProblemsOptions {
  readonly settings: Pick<Settings, 'users' | 'usersPassEncrypted'>;
  /** Default `/run/secrets`. */
  readonly secretsDir?: string;
}

/**
 * Services whose users cannot be let in: every request, or those of some users, get 401. Secrets are mounted into this process
 * alone, so such problems are not written to the registry. Users are not named: labels keep them secret.
 */
export class UserProblems {
  readonly #directory: UserDirectory;
  readonly #isGlobalEmpty: boolean;
  readonly #services = new Map<ServiceKey, ServiceDefinition>();
  #problems: ReadonlyMap<ServiceKey, readonly Problem[]> = new Map();

  constructor({ settings, secretsDir }: UserProblemsOptions) {
    const { users, usersPassEncrypted } = settings;
    this.#directory = new UserDirectory({
      users,
      usersPassEncrypted,
      // Requests that meet a missing file are logged by the directory that serves them.
      logger: silentLogger,
      ...(secretsDir === undefined ? {} : { secretsDir }),
    });
    this.#isGlobalEmpty = users !== undefined && this.#directory.global.size === 0;
  }

  /** `undefined`: the service is gone. */
  apply(key: ServiceKey, definition: ServiceDefinition | undefined): void {
    if (definition === undefined || !looksElsewhere(definition)) this.#services.delete(key);
    else this.#services.set(key, definition);
  }

  /** Looks at every service whose users stand outside of its labels: files may have come and gone. */
  async look(): Promise<void> {
    const found = new Map<ServiceKey, readonly Problem[]>(this.#isGlobalEmpty ? [['env/settings', [globalEmpty]]] : []);
    for (const [key, definition] of [...this.#services]) {
      const fault = await this.#directory.fault(definition);
      if (fault !== undefined) found.set(key, [problemOf(fault, definition)]);
    }
    this.#problems = found;
  }

  problems(): ReadonlyMap<ServiceKey, readonly Problem[]> {
    return this.#problems;
  }
}

const globalEmpty: Problem = {
  severity: 'warning',
  reason: 'users-unresolved',
  message: 'USERS holds no user: every request to a service without users of its own gets 401',
  value: '(secret)',
  suggestion:
    'write USERS as name:password, separated by commas; with USERS_PASS_ENCRYPTED=true the passwords as crypt(3) hashes',
};

/** Passwords in the labels are hashed already, and need no look. */
function looksElsewhere({ users, usersSecret }: ServiceDefinition): boolean {
  return usersSecret !== undefined || users?.some(({ passwordHash }) => passwordHash === undefined) === true;
}

function problemOf(fault: UsersFault, { usersSecret, usersPassEncrypted }: ServiceDefinition): Problem {
  const common = { severity: 'warning', reason: 'users-unresolved' } as const;
  if (fault.kind === 'without-password') {
    const { missing, named } = fault;
    const where = usersSecret === undefined ? 'USERS of the proxies' : `the secret dfp_users_${usersSecret}`;
    return {
      ...common,
      message: `no password for ${missing} of ${named} users of com.df.users, there or in ${where}: ${missing === named ? 'every request gets' : 'their requests get'} 401`,
      label: 'users',
      suggestion: `give each name a password in ${where}, or in the label as name:password`,
    };
  }
  const file = `dfp_users_${fault.secret}`;
  const isMissing = fault.kind === 'secret-missing';
  return {
    ...common,
    message: `the secret ${file} ${isMissing ? 'is not mounted into this proxy' : 'holds no user'}: every request gets 401`,
    label: 'usersSecret',
    value: fault.secret,
    suggestion: isMissing
      ? `mount the secret ${file} into the proxies, with a line name:password for each user`
      : `write a line name:password for each user${usersPassEncrypted === true ? ', the password as a crypt(3) hash because of usersPassEncrypted' : ''}`,
  };
}
