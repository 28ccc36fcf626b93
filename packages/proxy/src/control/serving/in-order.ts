/** Time that preparations take before requests have their turn, in milliseconds. */
const sliceMs = 4;

/**
 * Acts one after the other, in the order of the calls: what takes long to prepare must not be overtaken by what comes
 * later. An act without anything to prepare, and with none before it, happens at once.
 */
export class InOrder {
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  async run<T>(prepare: Generator<unknown, T> | undefined, act: (prepared: T | undefined) => void): Promise<void> {
    if (prepare === undefined && this.#waiting === 0) {
      act(undefined);
      return;
    }
    this.#waiting += 1;
    const before = this.#last;
    const own = Promise.withResolvers<void>();
    this.#last = own.promise;
    try {
      await before;
      act(prepare === undefined ? undefined : await inSlices(prepare));
    } finally {
      this.#waiting -= 1;
      own.resolve();
    }
  }
}

async function inSlices<T>(steps: Generator<unknown, T>): Promise<T> {
  let endAtMs = performance.now() + sliceMs;
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() < endAtMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    endAtMs = performance.now() + sliceMs;
  }
}
