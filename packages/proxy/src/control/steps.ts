import { setImmediate as nextTurn } from 'node:timers/promises';

/** Long work of the control side in steps that are short each, some 0.1 ms. */
export type Steps<T> = Generator<undefined, T>;

/** Takes steps to their result, with turns of the event loop in between. */
export type TakeSteps = <T>(steps: Steps<T>) => Promise<T>;

const sliceMs = 1;

/** Without a pause: for work that comes seldom. Calls that others can repeat take theirs through `LongResponses`. */
export const inTurns: TakeSteps = async (steps) => {
  for (;;) {
    const endAtMs = performance.now() + sliceMs;
    do {
      const step = steps.next();
      if (step.done) return step.value;
    } while (performance.now() < endAtMs);
    await nextTurn();
  }
};

export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
