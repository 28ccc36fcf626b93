/** Gives back what was acquired. Called once. */
export type Release = () => void;

/** A counting semaphore for each key: what is in flight at the same time. */
export interface Semaphores {
  /** @returns `undefined`: `most` of the key are in flight. A promise where another process counts. */
  acquire(key: string, most: number): Release | undefined | Promise<Release | undefined>;
}

/** Of this process alone. A key costs memory only while something of it is in flight. */
export class LocalSemaphores implements Semaphores {
  readonly #inFlight = new Map<string, number>();

  acquire(key: string, most: number): Release | undefined {
    const now = this.#inFlight.get(key) ?? 0;
    if (now >= most) return undefined;
    this.#inFlight.set(key, now + 1);
    return () => {
      const left = (this.#inFlight.get(key) ?? 1) - 1;
      if (left > 0) this.#inFlight.set(key, left);
      else this.#inFlight.delete(key);
    };
  }
}
