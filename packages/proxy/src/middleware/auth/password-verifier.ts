import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { verifyHashedPassword } from '@swarmgate/registry/vocabulary';
import { LRUCache } from 'lru-cache';
import { type PasswordCheckResult, PasswordPool } from './password-pool.ts';
import { Semaphore } from './semaphore.ts';

/** What a password is compared with: itself, or a salted hash. */
export type Credential =
  | { readonly kind: 'plain'; readonly password: string }
  | { readonly kind: 'hash'; readonly hash: string };

export interface PasswordVerifierOptions {
  /** Default 10,000 passwords. */
  readonly mostRemembered?: number;
  /** How long a correct password is cached. Default 5 minutes. */
  readonly rememberMs?: number;
}

// Hashing costs by length, and no real password is longer.
const mostPasswordBytes = 1024;
const rememberWrongMs = 10_000;

/**
 * Compares passwords off the event loop, in constant time, and remembers what came out. The memory is keyed by a digest
 * under a key of this process only, so that a core dump holds no password and no table to look one up in.
 */
export class PasswordVerifier {
  readonly #pool = new PasswordPool();
  // node:crypto's scrypt runs on libuv's four threads, which read files and look up names too: two stay theirs.
  readonly #scryptSlots = new Semaphore({ atOnce: 2, mostWaiting: 100 });
  readonly #key = randomBytes(32);
  readonly #mostRemembered: number;
  /** Made with the first hashed password. */
  #known: LRUCache<string, { readonly fits: boolean }> | undefined;
  readonly #running = new Map<string, Promise<PasswordCheckResult>>();
  readonly #rememberMs: number;

  constructor(options: PasswordVerifierOptions = {}) {
    this.#rememberMs = options.rememberMs ?? 300_000;
    this.#mostRemembered = options.mostRemembered ?? 10_000;
  }

  /**
   * At once where the response is known or cheap; a promise where something has to be hashed. Never rejects. The
   * cached result is per name: shared among names, it would reveal unknown names by their fast response.
   */
  check(
    username: string,
    password: string,
    credential: Credential,
  ): PasswordCheckResult | Promise<PasswordCheckResult> {
    if (Buffer.byteLength(password) > mostPasswordBytes) return 'differs';
    if (credential.kind === 'plain') {
      return timingSafeEqual(this.#digest(password), this.#digest(credential.password)) ? 'fits' : 'differs';
    }
    const { hash } = credential;
    const key = this.#digest(JSON.stringify([username, password, hash])).toString('base64');
    this.#known ??= new LRUCache({ max: this.#mostRemembered });
    const remembered = this.#known;
    const known = remembered.get(key);
    if (known !== undefined) return known.fits ? 'fits' : 'differs';
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const started = this.#hash(password, hash).then((result) => {
      this.#running.delete(key);
      if (result !== 'busy')
        remembered.set(
          key,
          { fits: result === 'fits' },
          { ttl: result === 'fits' ? this.#rememberMs : rememberWrongMs },
        );
      return result;
    });
    this.#running.set(key, started);
    return started;
  }

  /**
   * The credential that an unknown name is checked against, always the same for one name, so that the check takes as long
   * as for a known name even if some hashes cost more. `undefined` if there are no credentials.
   */
  decoyFor(username: string, credentials: readonly Credential[]): Credential | undefined {
    return credentials[this.#digest(username).readUInt32BE() % Math.max(1, credentials.length)];
  }

  stop(): Promise<void> {
    return this.#pool.stop();
  }

  async #hash(password: string, hash: string): Promise<PasswordCheckResult> {
    if (!hash.startsWith('$scrypt$')) return this.#pool.check(password, hash);
    if (!(await this.#scryptSlots.take())) return 'busy';
    try {
      return (await verifyHashedPassword(password, hash)) ? 'fits' : 'differs';
    } catch {
      return 'busy';
    } finally {
      this.#scryptSlots.giveBack();
    }
  }

  #digest(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }
}
