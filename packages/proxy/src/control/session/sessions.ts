import { type KeyLayout, type KeyValueStore, keyLayout } from '@swarmgate/registry';
import { type Logger, openToAll, type Settings } from '@swarmgate/runtime';
import { Login, type LoginDecision } from './login.ts';
import { endOfSession, type IssuedSession, issueSession, sessionHash, sessionKey, sessionMs } from './session-token.ts';

export interface SessionsOptions {
  readonly adminToken: string;
  readonly store: Pick<KeyValueStore, 'list' | 'transact'>;
  readonly layout: Pick<KeyLayout, 'revokedSessions'>;
  readonly logger: Logger;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly nowMs?: () => number;
}

/** How old the list of sessions that other replicas ended may be, in milliseconds. */
const listMaxAgeMs = 2_000;
const listWithinMs = 1_000;
const writeWithinMs = 5_000;
/** Deleted together with the entry that a logout writes; one transaction takes 64 operations. */
const mostDeletedAtOnce = 60;

/**
 * Logins of the console. A session is a signed value that every replica can check by itself; the registry holds only those
 * that were logged out before their end, and a replica applies another's logout after 2 s at most.
 */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #key: Buffer;
  readonly #login: Login;
  readonly #nowMs: () => number;
  /** Hash and end of each session that was logged out. */
  readonly #revoked = new Map<string, number>();
  #listedAtMs = Number.NEGATIVE_INFINITY;
  #listing: Promise<void> | undefined;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#key = sessionKey(options.adminToken);
    this.#login = new Login({ token: options.adminToken });
    this.#nowMs = options.nowMs ?? Date.now;
  }

  /** Compares a token with `ADMIN_TOKEN`; failed tries are limited by client address. */
  decide(address: string | undefined, token: string): LoginDecision {
    return this.#login.decide(address, `Bearer ${token}`);
  }

  begin(): IssuedSession {
    return issueSession(this.#key, this.#nowMs());
  }

  /** When the session ends; `undefined` for one that is not valid, has ended or was logged out. */
  async endOf(value: string): Promise<number | undefined> {
    const endsAtMs = endOfSession(this.#key, value, this.#nowMs());
    if (endsAtMs === undefined) return undefined;
    const hash = sessionHash(value);
    if (this.#revoked.has(hash)) return undefined;
    await this.#list();
    return this.#revoked.has(hash) ? undefined : endsAtMs;
  }

  /** Logs a session out on all replicas. @throws RegistryError where the registry does not take it; here it has ended then. */
  async end(value: string): Promise<void> {
    const nowMs = this.#nowMs();
    const endsAtMs = endOfSession(this.#key, value, nowMs);
    if (endsAtMs === undefined) return;
    const hash = sessionHash(value);
    this.#revoked.set(hash, endsAtMs);
    const { store, layout } = this.#options;
    const over = [...this.#revoked].filter(([, end]) => end <= nowMs).slice(0, mostDeletedAtOnce);
    await store.transact(
      [
        { kind: 'set', key: layout.revokedSessions + hash, value: JSON.stringify({ endsAt: new Date(endsAtMs) }) },
        ...over.map(([each]) => ({ kind: 'delete', key: layout.revokedSessions + each }) as const),
      ],
      AbortSignal.timeout(writeWithinMs),
    );
    for (const [each] of over) this.#revoked.delete(each);
  }

  /** While the registry is away the sessions that it named last stay ended. */
  async #list(): Promise<void> {
    if (this.#nowMs() - this.#listedAtMs < listMaxAgeMs) return;
    this.#listing ??= this.#read().finally(() => {
      this.#listing = undefined;
    });
    await this.#listing;
  }

  async #read(): Promise<void> {
    const { store, layout, logger } = this.#options;
    this.#listedAtMs = this.#nowMs();
    try {
      const { data } = await store.list(layout.revokedSessions, AbortSignal.timeout(listWithinMs));
      for (const { key, value } of data)
        this.#revoked.set(key.slice(layout.revokedSessions.length), endIn(value, this.#nowMs() + sessionMs));
    } catch (error) {
      logger.debug({ err: error }, 'sessions that were logged out elsewhere cannot be read');
    }
  }
}

/** `undefined` where no token is set to log in with. */
export function createSessions(
  { adminToken }: Pick<Settings, 'adminToken'>,
  registry: () => { readonly store: SessionsOptions['store']; readonly instance: string },
  logger: Logger,
): Sessions | undefined {
  if (adminToken === undefined || adminToken === openToAll) return undefined;
  const { store, instance } = registry();
  return new Sessions({ adminToken, store, layout: keyLayout(instance), logger });
}

/** An entry that cannot be read ends its session, too. */
function endIn(value: string, unreadable: number): number {
  const endsAtMs = Date.parse(/"endsAt":"([^"]+)"/.exec(value)?.[1] ?? '');
  return Number.isNaN(endsAtMs) ? unreadable : endsAtMs;
}
