/** Changes that are written as they come: the first calls of a storm, such as those of a script that registers all services again. */
const mostAtOnce = 400;
/** Of further ones, in a second. */
const mostPerSecond = 100;

/**
 * When a change may be written. Each costs the registry a transaction and every replica a new table. Without a pace callers whose
 * calls follow each other take the core of a proxy that serves requests in the same process.
 */
export class ChangePace {
  readonly #clock: () => number;
  readonly #waiting: (() => void)[] = [];
  #left = mostAtOnce;
  #countedMs: number;

  /** @param clock milliseconds that only grow. Default: those of the process. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#countedMs = clock();
  }

  /** Resolves when it is this change's turn. */
  turn(): Promise<void> {
    if (this.#waiting.length === 0 && this.#take()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) this.#nextInTime();
    });
  }

  #nextInTime(): void {
    setTimeout(() => this.#next(), Math.max(1, ((1 - this.#left) * 1_000) / mostPerSecond));
  }

  #next(): void {
    while (this.#waiting.length > 0 && this.#take()) this.#waiting.shift()?.();
    if (this.#waiting.length > 0) this.#nextInTime();
  }

  #take(): boolean {
    const nowMs = this.#clock();
    this.#left = Math.min(mostAtOnce, this.#left + ((nowMs - this.#countedMs) * mostPerSecond) / 1_000);
    this.#countedMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
