import { lookup } from 'node:dns/promises';
import { Agent } from 'node:http';
import { type Logger, messageOf, type Running } from '@swarmgate/runtime';
import fetch from 'node-fetch';

/** A task whose container was seen going. */
export interface GoingTask {
  readonly serviceId: string;
  readonly taskId: string;
}

export interface GoingReporter extends Running {
  /** Returns at once. Tried once: Swarm itself tells the listener a moment later. */
  report(task: GoingTask): void;
  counts(): { readonly delivered: number; readonly failed: number };
}

export interface GoingReporterOptions {
  /** `LISTENER_URL`, such as `http://tasks.listener:8080`: every address behind the name is told. */
  readonly listenerUrl: string;
  readonly token: string | undefined;
  readonly logger: Logger;
}

/** Later than this the listener knows from Swarm. */
const usefulMs = 1_000;

/** Tells every listener, since only the one that leads needs to hear it and we do not know which one that is. */
export function createGoingReporter({ listenerUrl, token, logger }: GoingReporterOptions): GoingReporter {
  const url = new URL('/v1/task-going', listenerUrl);
  const agent = new Agent({ keepAlive: true });
  const stopping = new AbortController();
  const pending = new Set<Promise<void>>();
  const counts = { delivered: 0, failed: 0 };
  let lastFailure: string | undefined;

  async function tell(address: string, family: number, task: GoingTask): Promise<void> {
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
    if (!response.ok) throw new Error(`${target.origin} answered ${response.status}`);
  }

  async function tellAll(task: GoingTask): Promise<void> {
    try {
      const addresses = await lookup(url.hostname.replace(/^\[(.*)\]$/, '$1'), { all: true });
      // All of them are called. A name may lead to addresses where nobody listens: only all of them deaf is a failure.
      await Promise.any(addresses.map(({ address, family }) => tell(address, family, task)));
      counts.delivered++;
      lastFailure = undefined;
    } catch (error) {
      if (stopping.signal.aborted) return;
      counts.failed++;
      const failure = messageOf(error instanceof AggregateError ? error.errors[0] : error);
      if (failure !== lastFailure) logger.warn({ listener: url.origin }, `a listener was not told: ${failure}`);
      lastFailure = failure;
    }
  }

  return {
    report(task) {
      const telling = tellAll(task).finally(() => pending.delete(telling));
      pending.add(telling);
    },
    counts: () => ({ ...counts }),
    async stop() {
      stopping.abort();
      await Promise.all(pending);
      agent.destroy();
    },
  };
}
