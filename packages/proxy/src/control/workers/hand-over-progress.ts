/** A control process that runs takes each connection within a millisecond. */
const mostWaitMs = 20;

/** Whether connections that are handed over leave this process: one that the control process does not take is not served. */
export class HandOverProgress {
  readonly #now: () => number;
  #waiting = 0;
  #sinceMs = 0;

  /** @param now milliseconds, for tests */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** `true`: those that wait have waited too long for another one to be added. */
  get isStuck(): boolean {
    return this.#waiting > 0 && this.#now() - this.#sinceMs > mostWaitMs;
  }

  began(): void {
    if (this.#waiting === 0) this.#sinceMs = this.#now();
    this.#waiting += 1;
  }

  /** One has left. */
  left(): void {
    this.#waiting -= 1;
    this.#sinceMs = this.#now();
  }
}
