import type { KeyLayout, KeyValueStore, ReplicaPresence } from '@swarmgate/registry';
import { type Logger, pause, type Running, type Tasks } from '@swarmgate/runtime';
import { type ReplicaTotals, readTotals, sameCounts } from './replica-totals.ts';

/** Carries what replicas counted over Redis. Made where `REDIS_URL` is set. */
export interface TotalsCarrier extends Running {
  /** Never throws: what cannot be sent now is sent with the next. */
  put(totals: ReplicaTotals): Promise<void>;
  /** Of these replicas, as far as they are there. Empty while Redis is away. */
  get(replicas: readonly string[]): Promise<readonly ReplicaTotals[]>;
}

export interface SharedTotalsOptions {
  readonly replica: string;
  readonly store: Pick<KeyValueStore, 'kind' | 'list'>;
  readonly layout: Pick<KeyLayout, 'numbers'>;
  readonly presence: Pick<ReplicaPresence, 'list' | 'shareNumbers'>;
  readonly carrier: TotalsCarrier | undefined;
  /** What this replica counted; of its busiest services where `most` is set. */
  readonly totals: (most?: number) => Promise<ReplicaTotals>;
  readonly logger: Logger;
  readonly tasks: Pick<Tasks, 'run'>;
}

const everyMs = 10_000;
const mostInRegistry = 200;
// Consul takes some 390,000 bytes as one value.
const mostDocumentBytes = 256 * 1_024;
const readWithinMs = 1_000;

/**
 * What the replicas of an instance counted, for a response that covers all of them: the 200 busiest services of each by the
 * registry, and all of them by Redis where that is set. Written every 10 s, and only where a count changed.
 */
export class SharedTotals implements Running {
  readonly #options: SharedTotalsOptions;
  readonly #ending = new AbortController();
  #following: Promise<void> | undefined;
  #written: ReplicaTotals | undefined;

  constructor(options: SharedTotalsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#following = this.#options.tasks.run('shared-totals', this.#ending.signal, () => this.#follow());
  }

  /** Publishes to the other replicas now. */
  async publish(): Promise<void> {
    const { store, presence, carrier, totals } = this.#options;
    if (carrier !== undefined) await carrier.put(await totals());
    // An embedded registry has no other replicas.
    if (store.kind === 'embedded') return;
    for (let most = mostInRegistry; most > 0; most = Math.floor(most / 2)) {
      const own = await totals(most);
      if (this.#written !== undefined && sameCounts(own, this.#written)) return;
      const document = JSON.stringify(own);
      if (Buffer.byteLength(document) > mostDocumentBytes) continue;
      presence.shareNumbers(document);
      this.#written = own;
      return;
    }
  }

  /** The last reports of the other replicas. Takes at most 1 s; later reports are left out. */
  async others(): Promise<readonly ReplicaTotals[]> {
    const { replica, carrier, logger } = this.#options;
    const signal = AbortSignal.timeout(readWithinMs);
    const found = new Map<string, ReplicaTotals>();
    try {
      for (const totals of await this.#fromRegistry(signal)) found.set(totals.replica, totals);
      if (carrier !== undefined) {
        const startedMs = new Map(
          (await this.#options.presence.list(signal)).map(({ replica: name, since }) => [name, Date.parse(since)]),
        );
        startedMs.delete(replica);
        for (const totals of await carrier.get([...startedMs.keys()])) {
          // Redis keeps what a former process of that name wrote for a while. Both times are of its machine's clock.
          const isOfNow = Date.parse(totals.at) >= (startedMs.get(totals.replica) ?? Number.POSITIVE_INFINITY);
          if (isOfNow) found.set(totals.replica, totals);
        }
      }
    } catch (error) {
      logger.debug({ err: error }, 'numbers of the other replicas are not to be had');
    }
    found.delete(replica);
    return [...found.values()].sort((a, b) => (a.replica < b.replica ? -1 : 1));
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#following;
    await this.#options.carrier?.stop();
  }

  async #fromRegistry(signal: AbortSignal): Promise<readonly ReplicaTotals[]> {
    const { store, layout } = this.#options;
    if (store.kind === 'embedded') return [];
    const { data } = await store.list(layout.numbers, signal);
    return data.flatMap(({ key, value }) => {
      const totals = readTotals(value);
      // A document under another replica's name is not that replica's.
      return totals !== undefined && key === `${layout.numbers}${totals.replica}` ? [totals] : [];
    });
  }

  async #follow(): Promise<void> {
    const { signal } = this.#ending;
    while (await pause(everyMs, signal)) {
      try {
        await this.publish();
      } catch (error) {
        this.#options.logger.warn({ err: error }, 'numbers for the other replicas not made');
      }
    }
  }
}
