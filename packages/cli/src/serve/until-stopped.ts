import { type Logger, type Running, stopAll } from '@swarmgate/runtime';

/**
 * Runs a long-lived command until SIGINT or SIGTERM. `start` appends what it starts to `running`; it is stopped in reverse
 * order, also when a later part fails to start. A second signal ends the process at once.
 */
export async function untilStopped(logger: Logger, start: (signal: AbortSignal, running: Running[]) => Promise<void>) {
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
  const running: Running[] = [];
  try {
    const started = start(stopping.signal, running);
    // A start may wait, for a registry for one: a signal ends that wait.
    if ((await Promise.race([started, asked])) !== undefined) {
      stopping.abort();
      await started.catch((error: unknown) => logger.debug({ err: error }, 'start aborted'));
    }
    logger.info({ signal: await asked }, 'stopping');
  } finally {
    await stopAll(running);
    stopping.abort();
  }
  logger.info('stopped');
}
