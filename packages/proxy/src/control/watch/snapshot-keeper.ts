import { type Logger, messageOf } from '@swarmgate/runtime';
import type { KeptSnapshot } from './served-services.ts';

export interface SnapshotKeeperOptions {
  /** At most one write in this time, in milliseconds; a large table's is longer. Default 2000. */
  readonly debounceMs?: number;
  /** Between two writes of a state that the disk refuses, in milliseconds. Default 10,000. */
  readonly betweenRetriesMs?: number;
  /** A write that takes longer counts as refused until it ends, in milliseconds. Default 30,000. */
  readonly longestWriteMs?: number;
  readonly write: (snapshot: KeptSnapshot) => Promise<void>;
  readonly logger: Logger;
}

const defaultDebounceMs = 2_000;
const mostDebounceMs = 10_000;
const defaultBetweenRetriesMs = 10_000;
const defaultLongestWriteMs = 30_000;

/**
 * How long to wait before the next write when the last one held so many services: it writes the whole table however
 * small the change, and Consul may share the disk. A millisecond for each, 10 s at most.
 */
export function untilNextWriteMs(debounceMs: number, services: number): number {
  return Math.max(debounceMs, Math.min(services, mostDebounceMs));
}

/**
 * Keeps the snapshot on disk near to what is served: one write at a time, the last state always written. What the disk refuses is
 * tried again until it is written, or a later state is.
 */
export class SnapshotKeeper {
  readonly #options: SnapshotKeeperOptions;
  #latest: (() => KeptSnapshot) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #refusal: string | undefined;
  #writingSinceMs: number | undefined;
  #stopped = false;
  #lastServices = 0;

  constructor(options: SnapshotKeeperOptions) {
    this.#options = options;
  }

  /** `snapshot` is called when it is written, not now, so that it includes later changes. */
  keep(snapshot: () => KeptSnapshot): void {
    this.#latest = snapshot;
    const { debounceMs = defaultDebounceMs } = this.#options;
    this.#flushIn(untilNextWriteMs(debounceMs, this.#lastServices));
  }

  /** Why the disk holds an older state; `undefined`: it holds the present one, or soon will. */
  refusal(): string | undefined {
    const { longestWriteMs = defaultLongestWriteMs } = this.#options;
    const tookMs = performance.now() - (this.#writingSinceMs ?? Number.POSITIVE_INFINITY);
    return this.#refusal ?? (tookMs > longestWriteMs ? 'the disk does not respond' : undefined);
  }

  /** Writes for the last time what is not written yet. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.flush();
  }

  /** Writes now what is not written yet. Never throws: a full disk costs the cold start, not the service. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const snapshot = this.#latest;
    if (snapshot === undefined) return;
    this.#latest = undefined;
    this.#writingSinceMs = performance.now();
    const { write, logger, betweenRetriesMs = defaultBetweenRetriesMs } = this.#options;
    try {
      const whole = snapshot();
      this.#lastServices = whole.services.length;
      await write(whole);
      this.#refusal = undefined;
    } catch (error) {
      logger.debug({ err: error }, 'the snapshot on disk cannot be written');
      this.#refusal = messageOf(error);
      this.#latest ??= snapshot;
      if (!this.#stopped) this.#flushIn(betweenRetriesMs);
    } finally {
      this.#writingSinceMs = undefined;
    }
  }

  #flushIn(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.flush();
    }, ms).unref();
  }
}
