/** CPU time that all admin calls together take before other work of the process has its turn. */
const sliceMs = 1;
/** After a slice, so that admin calls take at most a third of the time of a process that serves requests, too. */
const pauseMs = 2;

/** Runs long work of several callers in slices, one slice at a time, callers in turn. */
export class WorkSlices {
  readonly #waiting: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  /**
   * Takes the steps one by one and returns their result. Each step must be short: a slice ends between two of them.
   * @throws what a step throws, and the signal's reason: the steps that are left are not taken.
   */
  async run<T>(steps: Generator<unknown, T>, signal?: AbortSignal): Promise<T> {
    try {
      for (;;) {
        await this.#turn();
        signal?.throwIfAborted();
        const endAtMs = performance.now() + sliceMs;
        do {
          const step = steps.next();
          if (step.done) return step.value;
          // A step may wait for something of its own, such as a client that reads slowly.
          if (step.value instanceof Promise) {
            await step.value;
            break;
          }
        } while (performance.now() < endAtMs);
      }
    } finally {
      steps.return(undefined as T);
    }
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#timer ??= setTimeout(() => this.#next(), 0);
    });
  }

  #next(): void {
    this.#timer = undefined;
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#next(), pauseMs);
  }
}
