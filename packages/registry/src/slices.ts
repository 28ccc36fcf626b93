import { setImmediate } from 'node:timers/promises';

/** Time that long work takes of one turn of the event loop, in milliseconds. */
const sliceMs = 1;
/** Between two looks at the clock, in steps. */
const stepsBetweenLooks = 16;

/** Long work in slices of a millisecond, so that requests and other work of the process have their turn in between. */
export class Slices {
  #endAtMs = performance.now() + sliceMs;
  #steps = 0;

  /** Called after each step. Where it returns `true`, the work goes on after `next`. */
  isOver(): boolean {
    this.#steps += 1;
    return this.#steps % stepsBetweenLooks === 0 && performance.now() >= this.#endAtMs;
  }

  /** @throws AbortError whose cause is the signal's reason */
  async next(signal?: AbortSignal): Promise<void> {
    await setImmediate(undefined, { signal });
    this.#endAtMs = performance.now() + sliceMs;
  }
}
