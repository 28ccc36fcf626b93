/**
 * Requests as a client of the proxy makes them: any Host header, connections kept or not, and a constant load that
 * counts every answer that is not the expected one.
 */
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { type UntilOptions, until } from './until.ts';

export interface Ask {
  readonly url: string;
  /** The Host header, where it is another than the URL's. */
  readonly host?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Default 10_000. */
  readonly timeoutMs?: number;
  /** Default: a new connection for each request. */
  readonly agent?: Agent;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** @throws whatever the connection throws, or when the answer takes longer than `timeoutMs`. */
export function ask(what: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      what.url,
      {
        method: what.method ?? 'GET',
        headers: { ...what.headers, ...(what.host === undefined ? {} : { host: what.host }) },
        agent: what.agent ?? new Agent({ keepAlive: false }),
        timeout: what.timeoutMs ?? 10_000,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', reject);
        answer.once('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      },
    );
    request.once('timeout', () => request.destroy(new Error(`no answer from ${what.url} in time`)));
    request.once('error', reject);
    request.end(what.body);
  });
}

/** Asks until the answer has this status (and, if given, `accept` takes it). @throws after `withinMs`, with the last answer. */
export async function untilAnswers(
  what: Ask,
  status: number,
  options: UntilOptions & { readonly accept?: (answer: Answer) => boolean } = {},
): Promise<Answer> {
  let last = 'nothing';
  try {
    return await until(
      `${what.method ?? 'GET'} ${what.url} (${what.host ?? ''}) answers ${status}`,
      async () => {
        const answer = await ask(what).catch((error: unknown) => {
          last = String(error);
          throw error;
        });
        last = `${answer.status} ${answer.headers['x-swarmgate-reason'] ?? ''} ${answer.body.slice(0, 200)}`;
        return answer.status === status && (options.accept?.(answer) ?? true) ? answer : undefined;
      },
      options,
    );
  } catch (error) {
    throw new Error(`${(error as Error).message}; last seen: ${last}`, { cause: error });
  }
}

/**
 * Until so many replicas of the demo server have answered: Swarm calls a container running before its program listens, and
 * an update that begins meanwhile stops the one that does.
 */
export async function untilReplicasAnswer(url: string, replicas: number): Promise<void> {
  const seen = new Set<unknown>();
  const accept = ({ body }: Answer) => seen.add((JSON.parse(body) as { hostname?: unknown }).hostname).size >= replicas;
  await untilAnswers({ url }, 200, { accept });
}

export interface LoadReport {
  readonly sent: number;
  readonly failed: number;
  /** The first ten failures, as text, with the second of the load in which they happened. */
  readonly failures: readonly string[];
  /** How long each answer took, from when it was asked for to its end. */
  readonly latenciesMs: readonly number[];
}

/** `await using` ends it with the test, however the test ends. */
export interface Load extends AsyncDisposable {
  /** Answers that came so far. */
  readonly answered: () => number;
  /** Sends no more, waits for what is under way. */
  stop(): Promise<LoadReport>;
}

/**
 * Sends at a constant rate whatever the answers do, over kept connections. Failed is each request without an answer of
 * status 200 within 10 s.
 */
export function constantLoad(what: Ask & { readonly ratePerSecond: number }): Load {
  // Given up before the proxy closes it (after 15 s): a request on its way just then would end without an answer.
  const agent = new Agent({ keepAlive: true, maxSockets: 64, timeout: 5_000 });
  const startedAt = performance.now();
  const underWay = new Set<Promise<void>>();
  const failures: string[] = [];
  const latenciesMs: number[] = [];
  let sent = 0;
  let answered = 0;
  let failed = 0;

  const fail = (how: string) => {
    failed += 1;
    if (failures.length < 10) failures.push(`${((performance.now() - startedAt) / 1000).toFixed(1)} s: ${how}`);
  };
  const send = () => {
    sent += 1;
    const sentAt = performance.now();
    const one = ask({ ...what, agent }).then(
      (answer) => {
        answered += 1;
        latenciesMs.push(performance.now() - sentAt);
        if (answer.status !== 200) fail(`${answer.status} ${answer.headers['x-swarmgate-reason'] ?? ''}`);
      },
      (error: unknown) => fail(String(error)),
    );
    underWay.add(one);
    void one.finally(() => underWay.delete(one));
  };
  // A timer that comes late sends what is due, so that a busy machine does not lower the rate.
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * what.ratePerSecond);
    while (sent < due) send();
  }, 5);

  const stop = async () => {
    clearInterval(timer);
    await Promise.all(underWay);
    agent.destroy();
    return { sent, failed, failures, latenciesMs };
  };
  return {
    answered: () => answered,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}
