import { until as untilHolds } from '@swarmgate/runtime/testing';

/** `until` with its arguments in the order of this package's tests. */
export async function until(condition: () => boolean | Promise<boolean>, what: string, mostMs?: number): Promise<void> {
  await untilHolds(what, condition, mostMs === undefined ? { everyMs: 2 } : { withinMs: mostMs, everyMs: 2 });
}

/** Waits until what is counted has begun and grows no more: nothing announces that something is stuck. */
export async function untilStill(count: () => number, what: string): Promise<void> {
  let before = 0;
  let still = 0;
  await until(() => {
    const now = count();
    still = now > 0 && now === before ? still + 1 : 0;
    before = now;
    return still >= 50;
  }, what);
}
