import { contendForLeadership, type Leadership, type LeadershipState } from '@swarmgate/registry';
import { backoffMs, createSignal, pause, type Running, Tasks } from '@swarmgate/runtime';
import { LeadingOrderer } from './leading-orderer.ts';
import type { OrdererOptions } from './orderer-options.ts';

/** Contends for the lock and orders while it holds it. Any number of replicas run one; one of them orders. */
export class Orderer implements Running {
  readonly #options: OrdererOptions;
  readonly #leadership: Leadership;
  readonly #stopping = new AbortController();
  readonly #changed = createSignal();
  readonly #running: Promise<void>;
  #leading: LeadingOrderer | undefined;

  constructor(options: OrdererOptions) {
    this.#options = options;
    const { store, keys, replica, logger, lockTtlMs } = options;
    this.#leadership = contendForLeadership({
      store,
      key: keys.lock,
      heartbeatKey: keys.lockHeartbeat,
      name: `proxy ${replica}`,
      logger,
      ...(lockTtlMs === undefined ? {} : { ttlMs: lockTtlMs }),
    });
    this.#leadership.onChange(() => this.#changed.notify());
    const tasks = new Tasks({ logger });
    this.#running = tasks.run('certificate-orders', this.#stopping.signal, () => this.#run());
  }

  get isLeading(): boolean {
    return this.#leading !== undefined;
  }

  /** Routes or certificates of other sources changed. */
  requiredChanged(): void {
    this.#leading?.wake();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#changed.notify();
    await this.#running;
    await this.#leadership.stop();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      const state = this.#leadership.state();
      if (state.kind === 'standby') {
        await this.#changed.wait(Number.POSITIVE_INFINITY, signal);
        continue;
      }
      try {
        await this.#lead(state, AbortSignal.any([signal, state.signal]));
        failures = 0;
      } catch (error) {
        if (signal.aborted || state.signal.aborted) continue;
        this.#options.logger.warn({ err: error }, 'certificates cannot be ordered yet, trying again');
        await pause(backoffMs(failures, 500, 30_000), AbortSignal.any([signal, state.signal]));
        failures += 1;
      }
    }
  }

  async #lead(state: Extract<LeadershipState, { readonly kind: 'leading' }>, signal: AbortSignal): Promise<void> {
    const leading = new LeadingOrderer(this.#options, state.fence, signal);
    this.#leading = leading;
    try {
      await leading.run();
    } finally {
      this.#leading = undefined;
    }
  }
}
