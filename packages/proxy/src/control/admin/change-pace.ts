import type { Server } from '../serving/server.ts';

/** Changes that are written as they come: the first calls of a storm, such as those of a script that registers all services again. */
const mostAtOnce = 400;
/** Of further ones, in a second. */
const mostPerSecond = 100;
/** With fewer requests a second nothing waits for changes that is worth a pace. */
const leastRequestsPerSecond = 20;
const countedMs = 1_000;

/** The pace of a proxy that serves requests in this process; workers have processes of their own, and get their part of a core from the system. */
export function paceOf({ traffic, workerMetrics }: Pick<Server, 'traffic' | 'workerMetrics'>): ChangePace | undefined {
  return traffic === undefined || workerMetrics !== undefined ? undefined : new ChangePace(() => traffic().requests);
}

/**
 * When a change may be written. Each costs the registry a transaction and every replica a new table. Without a pace callers whose
 * calls follow each other take the core of a proxy that serves requests in the same process. While it serves none they need not wait.
 */
export class ChangePace {
  readonly #requests: () => number;
  readonly #clock: () => number;
  readonly #waiting: (() => void)[] = [];
  #left = mostAtOnce;
  #leftAtMs: number;
  #isServing = false;
  #requestsBefore: number;
  #requestsAtMs: number;

  /**
   * @param requests served until now
   * @param clock milliseconds that only grow. Default: those of the process.
   */
  constructor(requests: () => number, clock: () => number = () => performance.now()) {
    this.#requests = requests;
    this.#clock = clock;
    this.#requestsBefore = requests();
    this.#leftAtMs = this.#requestsAtMs = clock();
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
    this.#left = Math.min(mostAtOnce, this.#left + ((nowMs - this.#leftAtMs) * mostPerSecond) / 1_000);
    this.#leftAtMs = nowMs;
    this.#countRequests(nowMs);
    if (this.#isServing && this.#left < 1) return false;
    this.#left = Math.max(0, this.#left - 1);
    return true;
  }

  #countRequests(nowMs: number): void {
    const passedMs = nowMs - this.#requestsAtMs;
    if (passedMs < countedMs) return;
    const requests = this.#requests();
    this.#isServing = (requests - this.#requestsBefore) * 1_000 >= leastRequestsPerSecond * passedMs;
    this.#requestsBefore = requests;
    this.#requestsAtMs = nowMs;
  }
}
