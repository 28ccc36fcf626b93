import { flushCompileCache } from 'node:module';
import { createRepeatedLines, type Logger, messageOf, type Running, stopAll } from '@swarmgate/runtime';
import { exitCodes } from '../exit-codes.ts';

type End =
  | { readonly kind: 'signal'; readonly signal: string }
  /** An error passed every guard: what the process holds may be wrong, so it ends, and is started again from outside. */
  | { readonly kind: 'fault'; readonly error: unknown };

/** How long a stopped command waits for the reader of its output. */
const outputWithinMs = 2_000;

export interface UntilStoppedOptions {
  /** Time that stopping may take after an error that passed every guard, in milliseconds. Default 30,000. */
  readonly stopWithinMs?: number;
}

/**
 * Runs a long-lived command until SIGINT or SIGTERM. `start` appends what it starts to `running`; it is stopped in reverse
 * order, also when a later part fails to start. A second signal ends the process at once. An error that passed every guard
 * stops it like a signal, requests in flight finish, and it rejects with that error. A reader that does not take the command's
 * output holds up neither its work nor its end for more than 2 s.
 */
export async function untilStopped(
  logger: Logger,
  start: (signal: AbortSignal, running: Running[]) => Promise<void>,
  { stopWithinMs = 30_000 }: UntilStoppedOptions = {},
): Promise<void> {
  const stopping = new AbortController();
  const requested = firstEnd(logger, stopWithinMs);
  const running: Running[] = [];
  let end: End | undefined;
  try {
    // For the next start. Later, clients would wait for it; at its end a process that is killed writes nothing.
    flushCompileCache();
    const started = start(stopping.signal, running);
    // A start may wait, for a registry for one: a signal ends that wait.
    if ((await Promise.race([started, requested])) !== undefined) {
      stopping.abort();
      await started.catch((error: unknown) => logger.debug({ err: error }, 'start aborted'));
    }
    end = await requested;
    if (end.kind === 'signal') logger.info({ signal: end.signal }, 'stopping');
  } finally {
    // What a reader of the output has not taken would keep the process for as long as it does not read. Unreferenced: where
    // nothing waits, the process ends at once.
    await stopAll(running).finally(() => setTimeout(() => process.exit(), outputWithinMs).unref());
    stopping.abort();
  }
  logger.info('stopped');
  // Output that failed meanwhile is no failure of the command.
  if (end.kind === 'signal') process.exitCode = exitCodes.done;
  if (end.kind === 'fault')
    throw new Error(`ended after an error that passed every guard: ${messageOf(end.error)}`, { cause: end.error });
}

function firstEnd(logger: Logger, stopWithinMs: number): Promise<End> {
  return new Promise((resolve) => {
    let signals = 0;
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.on(name, () => {
        signals += 1;
        if (signals > 1) process.exit(1);
        resolve({ kind: 'signal', signal: name });
      });
    }
    const lines = createRepeatedLines(logger);
    let isFirst = true;
    // A rejection that nothing handles comes here too.
    process.on('uncaughtException', (error) => {
      lines.write(
        'error',
        messageOf(error),
        { err: error },
        'an error passed every guard: the process drains and ends',
      );
      resolve({ kind: 'fault', error });
      // What is wrong may also keep it from stopping.
      if (isFirst) setTimeout(() => process.exit(1), stopWithinMs).unref();
      isFirst = false;
    });
  });
}
