/** Lets one loop sleep until it is woken, a time has come, or the signal aborts. A wake while it works is not lost. */
export interface Wake {
  wake(): void;
  /** @param mostMs how long at most; `Infinity`: until woken */
  wait(mostMs: number, signal: AbortSignal): Promise<void>;
}

export function createWake(): Wake {
  let woken = false;
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
    wake() {
      woken = true;
      release?.();
    },
    async wait(mostMs, signal) {
      if (!woken && !signal.aborted && mostMs > 0) await sleep(mostMs, signal);
      woken = false;
    },
  };
}
