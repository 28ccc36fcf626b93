import type { Logger } from '@swarmgate/runtime';
import type { KeptSnapshot } from './served-services.ts';

export interface SnapshotKeeperOptions {
  /** At most one write in this time, in milliseconds; a large table's is longer. Default 2000. */
  readonly debounceMs?: number;
  readonly write: (snapshot: KeptSnapshot) => Promise<void>;
  readonly logger: Logger;
}

const defaultDebounceMs = 2_000;
const mostDebounceMs = 10_000;

/**
 * How long to wait before the next write when the last one held so many services: it writes the whole table however
 * small the change, and Consul may share the disk. A millisecond for each, 10 s at most.
 */
export function untilNextWriteMs(debounceMs: number, services: number): number {
  return Math.max(debounceMs, Math.min(services, mostDebounceMs));
}

/** Keeps the snapshot on disk near to what is served: one write at a time, the last state always written. */
export class SnapshotKeeper {
  readonly #options: SnapshotKeeperOptions;
  #latest: (() => KeptSnapshot) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failed = false;
  #lastServices = 0;

  constructor(options: SnapshotKeeperOptions) {
    this.#options = options;
  }

  /** `snapshot` is called when it is written, not now, so that it includes later changes. */
  keep(snapshot: () => KeptSnapshot): void {
    this.#latest = snapshot;
    const { debounceMs = defaultDebounceMs } = this.#options;
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        void this.flush();
      },
      untilNextWriteMs(debounceMs, this.#lastServices),
    ).unref();
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
    try {
      const whole = snapshot();
      this.#lastServices = whole.services.length;
      await this.#options.write(whole);
      if (this.#failed) this.#options.logger.info('the snapshot on disk is written again');
      this.#failed = false;
    } catch (error) {
      if (!this.#failed) this.#options.logger.error({ err: error }, 'the snapshot on disk cannot be written');
      this.#failed = true;
    }
  }
}
