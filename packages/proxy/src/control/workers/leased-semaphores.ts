import { LocalSemaphores, type Release, type Semaphores } from '../../middleware/limits/semaphores.ts';

export interface LeasedSemaphoresOptions {
  /** Requests a permit of the control process. `permit` absent: no response in time. */
  readonly acquire: (key: string, most: number) => Promise<{ readonly call: number; readonly permit?: boolean }>;
  /** Releases what a call acquired, if it acquired anything. */
  readonly release: (call: number) => void;
  /** Workers of the proxy: while the control process does not respond, each counts its share. */
  readonly workers: number;
}

/** Semaphores of a worker: permits come from its control process, because what is in flight is the proxy's. */
export class LeasedSemaphores implements Semaphores {
  readonly #options: LeasedSemaphoresOptions;
  readonly #alone = new LocalSemaphores();

  constructor(options: LeasedSemaphoresOptions) {
    this.#options = options;
  }

  async acquire(key: string, most: number): Promise<Release | undefined> {
    const { acquire, release, workers } = this.#options;
    const { call, permit } = await acquire(key, most);
    if (permit === true) return () => release(call);
    if (permit === false) return undefined;
    // It may be granted yet, too late for the request.
    release(call);
    return this.#alone.acquire(key, Math.max(1, Math.floor(most / Math.max(1, workers))));
  }
}
