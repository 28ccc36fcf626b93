import type { Logger } from '@swarmgate/runtime';

/**
 * Runs a long-lived command until SIGINT or SIGTERM. `start` gets the signal that ends it and gives back how to stop.
 * A second signal ends the process at once: somebody is waiting at the terminal.
 */
export async function untilStopped(logger: Logger, start: (signal: AbortSignal) => Promise<{ stop(): Promise<void> }>) {
  const stopping = new AbortController();
  const asked = new Promise<string>((resolve) => {
    let count = 0;
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.on(name, () => {
        count += 1;
        if (count > 1) process.exit(1);
        resolve(name);
      });
    }
  });
  const running = await start(stopping.signal);
  const name = await asked;
  logger.info({ signal: name }, 'stopping');
  try {
    await running.stop();
  } finally {
    stopping.abort();
  }
  logger.info('stopped');
}
