import { Agent } from 'node:http';
import { send } from '../harness/http.ts';

export interface RetryingLoadReport {
  readonly sent: number;
  /** Without a 200 of the first proxy that got it. */
  readonly retried: number;
  /** Those of them that were under way when the connection was reset; the others were refused. */
  readonly reset: number;
  /** Nor on the other. */
  readonly failed: number;
  readonly failures: readonly string[];
}

export interface RetryingLoad {
  /** Requests that have neither been served nor failed: on a slow machine they wait for a connection in this process. */
  waiting(): number;
  stop(): Promise<RetryingLoadReport>;
}

/** Connections to each proxy at most. */
export const connectionsEach = 64;

/** GETs at a constant rate, on two proxies in turn; what fails on one is sent once more to the other, as clients behind a load balancer do. */
export function retryingLoad(options: {
  readonly paths: readonly string[];
  /** Two base URLs. */
  readonly proxies: readonly [string, string];
  readonly ratePerSecond: number;
}): RetryingLoad {
  const agent = new Agent({ keepAlive: true, maxSockets: connectionsEach });
  const startedAt = performance.now();
  const underWay = new Set<Promise<void>>();
  const failures: string[] = [];
  let sent = 0;
  let retried = 0;
  let reset = 0;
  let failed = 0;

  /** Why it failed, or undefined. */
  const attempt = async (url: string): Promise<string | undefined> => {
    try {
      const { status, headers } = await send({ url, agent });
      return status === 200 ? undefined : `${status} ${headers['x-swarmgate-reason'] ?? ''}`;
    } catch (error) {
      return String(error);
    }
  };
  const sendWithRetry = async (number: number) => {
    const path = options.paths[number % options.paths.length] ?? '/';
    const [first, second] = number % 2 === 0 ? options.proxies : options.proxies.toReversed();
    const reason = await attempt(`${first}${path}`);
    if (reason === undefined) return;
    retried += 1;
    if (/ECONNRESET|socket hang up/.test(reason)) reset += 1;
    const again = await attempt(`${second}${path}`);
    if (again === undefined) return;
    failed += 1;
    const atSecond = ((performance.now() - startedAt) / 1000).toFixed(1);
    if (failures.length < 10) failures.push(`${atSecond} s: ${path}: ${reason}, then ${again}`);
  };
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * options.ratePerSecond);
    while (sent < due) {
      const one = sendWithRetry(sent);
      sent += 1;
      underWay.add(one);
      void one.finally(() => underWay.delete(one));
    }
  }, 5);

  return {
    waiting: () => underWay.size,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
      agent.destroy();
      return { sent, retried, reset, failed, failures };
    },
  };
}
