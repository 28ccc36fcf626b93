import { backoffMs, type Logger, pause, Tasks } from '@swarmgate/runtime';
import type { Leadership, LeadershipState } from '../registry.ts';
import type { KeyValueStore } from '../store/key-value-store.ts';
import { type AcquiredLock, acquireLock, keepLock } from './lock.ts';
import { untilLockIsFree } from './lock-free.ts';

export interface LeadershipOptions {
  readonly store: KeyValueStore;
  /** The lock: `keyLayout(instance).leader(owner)` or `.reporter`. */
  readonly key: string;
  /** Beside it: `.leaderHeartbeat(owner)` or `.reporterHeartbeat`. */
  readonly heartbeatKey: string;
  /** This process, for people who read the lock's value: `swarm-listener on node1`. */
  readonly name: string;
  readonly logger: Logger;
  /** How long the session lives after its last renewal. Default and least 10_000 (Consul's own limit). */
  readonly ttlMs?: number;
  /** Between two heartbeats. Default 2_000. */
  readonly heartbeatMs?: number;
  /** A leader that writes no heartbeat for this long is replaced. Default 8_000, four heartbeats. */
  readonly silenceMs?: number;
  /** Default: tasks whose faults only the log shows. */
  readonly tasks?: Pick<Tasks, 'run'>;
}

const defaults = { ttlMs: 10_000, heartbeatMs: 2_000, silenceMs: 8_000 } as const;

/**
 * Contends for one lock until it is stopped: leads while it holds the lock, stands by otherwise. A leader without
 * heartbeat (killed, paused, cut off) is replaced after `silenceMs`; its fence refuses what it writes afterwards.
 * Never throws: while the registry is away it stands by and tries again after 50 ms to 2 s.
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
    const { tasks = new Tasks({ logger: this.#options.logger }), key } = this.#options;
    this.#running = tasks.run(`lock-${key.replaceAll('/', '-')}`, this.#stopping.signal, () => this.#contend());
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
    // Counts every attempt that did not lead to the lock, refused ones too: each is followed by a pause, so that a store
    // which responds at once cannot keep this loop from yielding to the event loop.
    let attempt = 0;
    let formerSession: string | undefined;
    while (!signal.aborted) {
      try {
        const lockFree = await untilLockIsFree({ ...this.#options, formerSession }, signal);
        if (lockFree.kind === 'silent') {
          logger.warn(
            { key, leader: lockFree.leader, silentForMs: this.#options.silenceMs },
            'leader wrote no heartbeat, replacing it',
          );
        }
        // Ended before the lock is acquired: from here on the fence refuses what is still written under that session.
        if (lockFree.kind !== 'free') await store.destroySession(lockFree.session, signal);
        const lock = await acquireLock(this.#options, signal);
        if (lock !== undefined) {
          attempt = 0;
          formerSession = lock.session;
          await this.#lead(lock);
          continue;
        }
        logger.debug({ key, attempt }, 'another process acquired the lock first');
      } catch (error) {
        if (signal.aborted) return;
        // One warning: while the registry is away its follower reports that, and repeated lines would bury the report.
        logger[attempt === 0 ? 'warn' : 'debug'](
          { key, attempt, err: error },
          'cannot contend for leadership, retrying',
        );
      }
      await pause(backoffMs(attempt, 100, 2_000), signal);
      attempt += 1;
    }
  }

  async #lead(lock: AcquiredLock): Promise<void> {
    const leading = new AbortController();
    const fence = { key: this.#options.key, session: lock.session };
    this.#options.logger.info({ key: this.#options.key }, 'leading');
    this.#become({ kind: 'leading', fence, signal: leading.signal });
    const reason = await keepLock(lock, this.#options, this.#stopping.signal);
    leading.abort();
    this.#become({ kind: 'standby' });
    this.#options.logger.info({ key: this.#options.key, reason }, 'no longer leading');
  }

  #become(state: LeadershipState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }
}
