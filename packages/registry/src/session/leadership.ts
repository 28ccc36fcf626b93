import { backoffMs, type Logger, messageOf, pause } from '@swarmgate/runtime';
import type { Leadership, LeadershipState } from '../registry.ts';
import type { KeyValueStore } from '../store/key-value-store.ts';
import { type HeldLock, holdLock, takeLock } from './held-lock.ts';
import { awaitVacancy } from './vacancy.ts';

export interface LeadershipOptions {
  readonly store: KeyValueStore;
  /** The lock: `keyLayout(instance).leader(owner)` or `.reporter`. */
  readonly key: string;
  /** Beside it: `.leaderHeartbeat(owner)` or `.reporterHeartbeat`. */
  readonly heartbeatKey: string;
  /** Who we are, for whoever reads the lock: `swarm-listener on node1`. */
  readonly name: string;
  readonly logger: Logger;
  /** How long the session outlives us by itself, at least and by default 10_000. */
  readonly ttlMs?: number;
  /** Between two heartbeats. Default 2_000. */
  readonly heartbeatMs?: number;
  /** A leader that shows no heartbeat for this long is replaced. Default 8_000, four heartbeats. */
  readonly silenceMs?: number;
}

const defaults = { ttlMs: 10_000, heartbeatMs: 2_000, silenceMs: 8_000 } as const;

/**
 * Contends for one lock for ever: leads while it holds it, stands by otherwise. A leader that stops showing its
 * heartbeat (killed, paused, cut off) is replaced after `silenceMs`; what it writes late is refused by its fence.
 * Never throws: the registry away means standing by.
 */
export function contendForLeadership(options: LeadershipOptions): Leadership {
  const contender = new Contender(options);
  contender.begin();
  return contender;
}

class Contender implements Leadership {
  readonly #options: LeadershipOptions & typeof defaults;
  readonly #stopping = new AbortController();
  readonly #listeners = new Set<(state: LeadershipState) => void>();
  #state: LeadershipState = { kind: 'standby' };
  #running: Promise<void> = Promise.resolve();

  constructor(options: LeadershipOptions) {
    this.#options = { ...defaults, ...options } as LeadershipOptions & typeof defaults;
  }

  readonly state = (): LeadershipState => this.#state;

  begin(): void {
    this.#running = this.#contend();
  }

  onChange(listener: (state: LeadershipState) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#state);
    return () => this.#listeners.delete(listener);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #contend(): Promise<void> {
    const { signal } = this.#stopping;
    const { store, logger, key } = this.#options;
    let attempt = 0;
    let formerSession: string | undefined;
    while (!signal.aborted) {
      try {
        const vacancy = await awaitVacancy({ ...this.#options, formerSession }, signal);
        if (vacancy.kind === 'silent') {
          logger.warn(
            { key, leader: vacancy.leader, silentForMs: this.#options.silenceMs },
            'the leader is silent, replacing it',
          );
        }
        // Nobody waits for ourselves to fall silent. What we wrote late under that session is refused from here on.
        if (vacancy.kind !== 'free') await store.destroySession(vacancy.session, signal);
        const lock = await takeLock(this.#options, signal);
        attempt = 0;
        if (lock === undefined) continue;
        formerSession = lock.session;
        await this.#lead(lock);
      } catch (error) {
        if (signal.aborted) return;
        // Once is enough: while the registry is away, whoever follows it says so, and this line would bury that one.
        const level = attempt === 0 ? 'warn' : 'debug';
        logger[level]({ key, attempt, error: messageOf(error) }, 'cannot contend for leadership, trying again');
        await pause(backoffMs(attempt, 100, 2_000), signal);
        attempt += 1;
      }
    }
  }

  async #lead(lock: HeldLock): Promise<void> {
    const leading = new AbortController();
    const fence = { key: this.#options.key, session: lock.session };
    this.#options.logger.info({ key: this.#options.key }, 'leading');
    this.#become({ kind: 'leading', fence, signal: leading.signal });
    const reason = await holdLock(lock, this.#options, this.#stopping.signal);
    leading.abort();
    this.#become({ kind: 'standby' });
    this.#options.logger.info({ key: this.#options.key, reason }, 'not leading any more');
  }

  #become(state: LeadershipState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }
}
