/**
 * Requests as a client of the proxy makes them: any Host header, connections kept or not, and a constant load that
 * counts every response that is not the expected one.
 */
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { type UntilOptions, until } from './until.ts';

export interface TestRequest {
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

export interface Response {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** @throws whatever the connection throws, or when the response takes longer than `timeoutMs`. */
export function send(what: TestRequest): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      what.url,
      {
        method: what.method ?? 'GET',
        headers: { ...what.headers, ...(what.host === undefined ? {} : { host: what.host }) },
        agent: what.agent ?? new Agent({ keepAlive: false }),
        timeout: what.timeoutMs ?? 10_000,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      },
    );
    request.once('timeout', () => request.destroy(new Error(`no response from ${what.url} in time`)));
    request.once('error', reject);
    request.end(what.body);
  });
}

/** Sends the request until the response has this status (and, if given, `accept` returns true). @throws after `withinMs`, with the last response. */
export async function untilResponds(
  what: TestRequest,
  status: number,
  options: UntilOptions & { readonly accept?: (response: Response) => boolean } = {},
): Promise<Response> {
  let last = 'nothing';
  try {
    return await until(
      `${what.method ?? 'GET'} ${what.url} (${what.host ?? ''}) responds with ${status}`,
      async () => {
        const response = await send(what).catch((error: unknown) => {
          last = String(error);
          throw error;
        });
        last = `${response.status} ${response.headers['x-swarmgate-reason'] ?? ''} ${response.body.slice(0, 200)}`;
        return response.status === status && (options.accept?.(response) ?? true) ? response : undefined;
      },
      options,
    );
  } catch (error) {
    throw new Error(`${(error as Error).message}; last seen: ${last}`, { cause: error });
  }
}

/**
 * Until so many replicas of the demo server have responded: Swarm calls a container running before its program listens, and
 * an update that begins meanwhile stops the one that does.
 */
export async function untilReplicasRespond(url: string, replicas: number): Promise<void> {
  const seen = new Set<unknown>();
  const accept = ({ body }: Response) =>
    seen.add((JSON.parse(body) as { hostname?: unknown }).hostname).size >= replicas;
  await untilResponds({ url }, 200, { accept });
}

export interface LoadReport {
  readonly sent: number;
  readonly failed: number;
  /** The first ten failures, as text, with the second of the load in which they happened. */
  readonly failures: readonly string[];
  /** How long each response took, from its request to its end. */
  readonly latenciesMs: readonly number[];
}

/** `await using` ends it with the test, however the test ends. */
export interface Load extends AsyncDisposable {
  /** Responses that came so far. */
  readonly responded: () => number;
  /** Sends no more, waits for what is under way. */
  stop(): Promise<LoadReport>;
}

/**
 * Sends at a constant rate whatever the responses do, over kept connections. Failed is each request without a response of
 * status 200 within 10 s.
 */
export function constantLoad(what: TestRequest & { readonly ratePerSecond: number }): Load {
  // Given up before the proxy closes it (after 15 s): a request on its way just then would end without a response.
  const agent = new Agent({ keepAlive: true, maxSockets: 64, timeout: 5_000 });
  const startedAt = performance.now();
  const underWay = new Set<Promise<void>>();
  const failures: string[] = [];
  const latenciesMs: number[] = [];
  let sent = 0;
  let responded = 0;
  let failed = 0;

  const fail = (how: string) => {
    failed += 1;
    if (failures.length < 10) failures.push(`${((performance.now() - startedAt) / 1000).toFixed(1)} s: ${how}`);
  };
  const sendNext = () => {
    sent += 1;
    const sentAt = performance.now();
    const one = send({ ...what, agent }).then(
      (response) => {
        responded += 1;
        latenciesMs.push(performance.now() - sentAt);
        if (response.status !== 200) fail(`${response.status} ${response.headers['x-swarmgate-reason'] ?? ''}`);
      },
      (error: unknown) => fail(String(error)),
    );
    underWay.add(one);
    void one.finally(() => underWay.delete(one));
  };
  // A timer that comes late sends what is due, so that a busy machine does not lower the rate.
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * what.ratePerSecond);
    while (sent < due) sendNext();
  }, 5);

  const stop = async () => {
    clearInterval(timer);
    await Promise.all(underWay);
    agent.destroy();
    return { sent, failed, failures, latenciesMs };
  };
  return {
    responded: () => responded,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}
