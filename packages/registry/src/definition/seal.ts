import { createHmac, randomBytes } from 'node:crypto';
import type { Problem, ProblemReason } from '@swarmgate/labels';
import { type ServiceDefinition, serviceKey, type UserEntry } from '@swarmgate/labels';
import { openCertificate, type SecretsKey, sealCertificate, splitPem } from './seal-certificate.ts';
import { hashPassword, verifyHashedPassword } from './seal-passwords.ts';

/** What was given in plain, kept apart from the definition (`translateParameters`). */
export interface PlainSecrets {
  readonly passwords: ReadonlyMap<string, string>;
  readonly certificate?: string;
}

export type Sealed =
  | { readonly ok: true; readonly definition: ServiceDefinition }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export interface Sealer {
  /**
   * Puts the secrets into the definition in the form the registry may hold: passwords as salted hashes, the private key
   * encrypted. What did not change keeps its salt and ciphertext from `previous`, so that an unchanged service is an
   * equal document. Rejects with a problem that names `SECRETS_KEY` where a private key comes without one.
   */
  seal(definition: ServiceDefinition, secrets: PlainSecrets, previous: ServiceDefinition | undefined): Promise<Sealed>;
}

const mostRemembered = 10_000;
/** Passwords that one definition may give in plain: each takes some 40 ms of a processor. */
const mostPasswords = 500;

/**
 * @param keys of `SECRETS_KEY`, the first one seals; empty where none is set
 * @param hash for tests
 */
export function createSealer(keys: readonly SecretsKey[], hash = hashPassword): Sealer {
  // A hash takes some 40 ms to compare, and a resync compares them all: pairs that were seen to fit are remembered, as a
  // keyed digest that is worth nothing outside this process. So are the hashes that were made, for the next call: the
  // first may have been given up.
  const remembered = new Set<string>();
  const made = new Map<string, string>();
  const digestKey = randomBytes(32);
  const digestOf = (password: string, hash: string) =>
    createHmac('sha256', digestKey)
      .update(JSON.stringify([password, hash]))
      .digest('base64');

  const remember = (password: string, hash: string): string => {
    if (remembered.size >= mostRemembered) remembered.clear();
    remembered.add(digestOf(password, hash));
    return hash;
  };

  const fits = async (password: string, hash: string): Promise<boolean> => {
    if (remembered.has(digestOf(password, hash))) return true;
    if (!(await oneAtATime(() => verifyHashedPassword(password, hash)))) return false;
    remember(password, hash);
    return true;
  };

  const hashOf = async (service: string, username: string, password: string): Promise<string> => {
    const key = digestOf(JSON.stringify([service, username]), password);
    const known = made.get(key);
    if (known !== undefined) return known;
    const fresh = await oneAtATime(() => hash(password));
    if (made.size >= mostRemembered) made.clear();
    made.set(key, fresh);
    return remember(password, fresh);
  };

  const sealUser = async (
    service: string,
    user: UserEntry,
    secrets: PlainSecrets,
    former: UserEntry | undefined,
  ): Promise<UserEntry> => {
    const password = secrets.passwords.get(user.username);
    if (password === undefined) return user;
    const known = former?.passwordHash;
    if (known !== undefined && (await fits(password, known))) return { ...user, passwordHash: known };
    return { ...user, passwordHash: await hashOf(service, user.username, password) };
  };

  return {
    async seal(definition, secrets, previous) {
      let sealed = definition;
      if (definition.users !== undefined && secrets.passwords.size > 0) {
        if (secrets.passwords.size > mostPasswords) return { ok: false, problems: [tooManyPasswords] };
        const former = new Map((previous?.users ?? []).map((user) => [user.username, user]));
        const users: UserEntry[] = [];
        // One after the other, so that the calls of others have their turns in between.
        const service = serviceKey(definition);
        for (const user of definition.users)
          users.push(await sealUser(service, user, secrets, former.get(user.username)));
        sealed = { ...sealed, users };
      }
      if (secrets.certificate === undefined) return { ok: true, definition: sealed };
      const certificate = sealServiceCert(secrets.certificate, definition, previous, keys);
      if (!certificate.ok) return { ok: false, problems: [certificate.problem] };
      return { ok: true, definition: { ...sealed, serviceCert: certificate.sealed } };
    },
  };
}

const tooManyPasswords: Problem = {
  severity: 'error',
  reason: 'service-too-large',
  message: `the service gives more than ${mostPasswords} passwords in plain`,
  label: 'users',
  value: '(secret)',
  suggestion: 'give them hashed (usersPassEncrypted=true), or mount them as a secret (usersSecret)',
};

let hashing: Promise<unknown> = Promise.resolve();

/**
 * Runs one hash after the other in this process, for all callers: scrypt takes one of the runtime's four threads, which read
 * files and resolve names too.
 */
function oneAtATime<T>(hash: () => Promise<T>): Promise<T> {
  const turn = hashing.then(hash);
  hashing = turn.catch(() => undefined);
  return turn;
}

type SealedCertificate =
  | { readonly ok: true; readonly sealed: string }
  | { readonly ok: false; readonly problem: Problem };

function sealServiceCert(
  pem: string,
  definition: ServiceDefinition,
  previous: ServiceDefinition | undefined,
  keys: readonly SecretsKey[],
): SealedCertificate {
  const refused = (reason: ProblemReason, message: string, suggestion: string): SealedCertificate => ({
    ok: false,
    problem: { severity: 'error', reason, message, label: 'serviceCert', value: '(secret)', suggestion },
  });
  const [first, ...others] = keys;
  if (first === undefined)
    return refused(
      'secrets-key-missing',
      'serviceCert holds a private key, which goes into the registry only encrypted, and SECRETS_KEY is not set',
      'set SECRETS_KEY to 32 bytes in base64 (openssl rand -base64 32) on listeners and proxies, or mount the certificate as the secret cert-<name>',
    );
  const pair = splitPem(pem);
  if (pair === undefined)
    return refused(
      'label-value-invalid',
      'serviceCert lacks a certificate or a private key in PEM',
      'write both, line ends as \\n',
    );
  const name = serviceKey(definition);
  if (previous?.serviceCert !== undefined) {
    const opened = openCertificate(previous.serviceCert, name, keys);
    // Sealed again during a rotation, so that the former key can be taken away.
    const unchanged = opened.ok && opened.keyId === first.id && JSON.stringify(opened.pair) === JSON.stringify(pair);
    if (unchanged) return { ok: true, sealed: previous.serviceCert };
  }
  return { ok: true, sealed: sealCertificate(pair, name, [first, ...others]) };
}
