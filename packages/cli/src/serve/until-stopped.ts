import { type Logger, messageOf, type Running, stopAll } from '@swarmgate/runtime';

/**
 * Runs a long-lived command until SIGINT or SIGTERM. `start` puts what it starts into `running`, first things first;
 * it is stopped in reverse order, also when a later part does not start. A second signal ends the process at once:
 * somebody is waiting at the terminal.
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
    // A start may wait for others, a registry for one; whoever stops it meanwhile need not wait along.
    if ((await Promise.race([started, asked])) !== undefined) {
      stopping.abort();
      await started.catch((error: unknown) => logger.debug({ error: messageOf(error) }, 'the start was given up'));
    }
    logger.info({ signal: await asked }, 'stopping');
  } finally {
    await stopAll(running);
    stopping.abort();
  }
  logger.info('stopped');
}
