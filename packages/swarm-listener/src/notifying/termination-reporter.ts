import { lookup } from 'node:dns/promises';
import type { Logger, Running } from '@swarmgate/runtime';
import { createRepeatedLines } from '@swarmgate/runtime';
import { nodeHttp } from '@swarmgate/runtime/node-http';
import fetch from 'node-fetch';

/** A task whose container is being stopped, has ended, or failed its health check. */
export interface TerminatingTask {
  readonly serviceId: string;
  readonly taskId: string;
}

export interface TerminationReporter extends Running {
  /** Returns at once. Sent once, without retry: Swarm itself reports the task a moment later. */
  report(task: TerminatingTask): void;
  counts(): { readonly delivered: number; readonly failed: number };
}

export interface TerminationReporterOptions {
  /** `LISTENER_URL`, such as `http://tasks.listener:8080`: every address of the name is called. */
  readonly listenerUrl: string;
  readonly token: string | undefined;
  readonly logger: Logger;
}

/** After this time Swarm has reported the task itself. */
const usefulMs = 1_000;

/** Calls every listener, because only the leader uses the report and an agent cannot know which listener leads. */
export function createTerminationReporter({
  listenerUrl,
  token,
  logger,
}: TerminationReporterOptions): TerminationReporter {
  const url = new URL('/v1/task-terminating', listenerUrl);
  const agent = new nodeHttp.Agent({ keepAlive: true });
  const stopping = new AbortController();
  const inFlight = new Set<Promise<void>>();
  const counts = { delivered: 0, failed: 0 };
  const lines = createRepeatedLines(logger);

  async function call(address: string, family: number, task: TerminatingTask): Promise<void> {
    const target = new URL(url);
    target.hostname = family === 6 ? `[${address}]` : address;
    const response = await fetch(target, {
      method: 'POST',
      agent,
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(task),
      signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(usefulMs)]),
    });
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${target.origin} responded with ${response.status}`);
  }

  async function callAll(task: TerminatingTask): Promise<void> {
    try {
      const addresses = await lookup(url.hostname.replace(/^\[(.*)\]$/, '$1'), { all: true });
      // Stale addresses of a name are usual: it is a failure only where none of them takes the report.
      await Promise.any(addresses.map(({ address, family }) => call(address, family, task)));
      counts.delivered++;
    } catch (error) {
      if (stopping.signal.aborted) return;
      counts.failed++;
      const err = error instanceof AggregateError ? error.errors[0] : error;
      lines.write(
        'warn',
        'report',
        { err, listener: url.origin, ...task },
        'no listener took the report of a terminating task',
      );
    }
  }

  return {
    report(task) {
      const calling = callAll(task).finally(() => inFlight.delete(calling));
      inFlight.add(calling);
    },
    counts: () => ({ ...counts }),
    async stop() {
      stopping.abort();
      await Promise.all(inFlight);
      lines.stop();
      agent.destroy();
    },
  };
}
