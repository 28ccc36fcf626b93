/** Lets one loop sleep until it is notified, a time has come, or the abort signal fires. A notification while it works is kept. */
export interface Signal {
  readonly notify: () => void;
  /** @param mostMs the longest wait; `Infinity`: until notified */
  readonly wait: (mostMs: number, signal: AbortSignal) => Promise<void>;
}

export function createSignal(): Signal {
  let isNotified = false;
  let release: (() => void) | undefined;

  const sleep = (mostMs: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        release = undefined;
        resolve();
      };
      const timer = Number.isFinite(mostMs) ? setTimeout(end, mostMs) : undefined;
      signal.addEventListener('abort', end, { once: true });
      release = end;
    });

  return {
    notify() {
      isNotified = true;
      release?.();
    },
    async wait(mostMs, signal) {
      if (!isNotified && !signal.aborted && mostMs > 0) await sleep(mostMs, signal);
      isNotified = false;
    },
  };
}
