import { Agent, type ClientRequest, type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { headersForClient } from '../../exchange/header-policy.ts';
import { AttemptError, reasonOf } from '../../transport/connect-error.ts';
import { Deadline } from '../../transport/deadline.ts';
import type { Attempt, TunnelResult } from '../forwarder.ts';
import { setUpstreamHeaders } from './upstream-headers.ts';

// After one side has ended, the other may still say so long what it has to say (a closing frame, a last answer).
const lingerMs = 2_000;

/** One WebSocket upgrade: the head upstream, then a relay in both directions until either side ends. */
export class UpgradeAttempt {
  readonly attempt: Attempt;
  readonly agent: Agent;
  readonly result: Promise<TunnelResult>;
  readonly #client: Duplex;
  readonly #upstream: Duplex;
  readonly #deadline = new Deadline();
  #settle!: (result: TunnelResult) => void;
  #settled = false;
  #sentBytes = 0;
  #receivedBytes = 0;

  constructor(client: Duplex, upstream: Duplex, attempt: Attempt) {
    this.#client = client;
    this.#upstream = upstream;
    this.attempt = attempt;
    this.result = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.agent = new ConnectedAgent(upstream);
  }

  onUpstreamRequest(request: ClientRequest): void {
    const { headers, timeouts } = this.attempt;
    setUpstreamHeaders(request, headers, ['Connection', 'Upgrade', 'Upgrade', 'websocket']);
    this.#deadline.set(timeouts.serverMs, () =>
      request.destroy(new AttemptError('head-timeout', `no answer to the upgrade within ${timeouts.serverMs} ms`)),
    );
    request.once('response', (response) => {
      this.#deadline.set(timeouts.serverMs, () => this.#destroyBoth());
      this.#client.once('close', () => this.#done({ kind: 'refused', status: response.statusCode ?? 502 }));
    });
    // Before http-proxy-middleware's own listener, which writes the 101 from `response.headers`.
    request.once('upgrade', (response: IncomingMessage) => this.#onUpgraded(response));
    this.#client.once('close', () => {
      if (!this.#settled) request.destroy();
    });
  }

  onError(error: Error): void {
    if (this.#settled) return;
    this.#done({ kind: 'failed', reason: reasonOf(error), cause: error });
  }

  #onUpgraded(response: IncomingMessage): void {
    const headers = headersForClient(response.rawHeaders);
    this.attempt.onHead(101, headers);
    const sent: NodeJS.Dict<string[]> = {};
    for (let at = 0; at < headers.flat.length; at += 2) {
      const name = headers.flat[at] as string;
      const values = sent[name] ?? [];
      values.push(headers.flat[at + 1] as string);
      sent[name] = values;
    }
    response.headers = { ...sent, connection: 'Upgrade', upgrade: 'websocket' } as typeof response.headers;

    const client = this.#client;
    const upstream = this.#upstream;
    const { tunnelMs } = this.attempt.timeouts;
    this.#deadline.set(tunnelMs, () => this.#destroyBoth());
    client.on('data', (chunk: Buffer) => {
      this.#receivedBytes += chunk.length;
      this.#deadline.extend();
    });
    upstream.on('data', (chunk: Buffer) => {
      this.#sentBytes += chunk.length;
      this.#deadline.extend();
    });
    const linger = () => this.#deadline.set(Math.min(lingerMs, tunnelMs), () => this.#destroyBoth());
    client.once('end', linger);
    upstream.once('end', linger);
    client.once('close', () => {
      upstream.destroy();
      this.#done({ kind: 'tunnelled', sentBytes: this.#sentBytes, receivedBytes: this.#receivedBytes });
    });
    upstream.once('close', () => client.end());
  }

  #destroyBoth(): void {
    this.#client.destroy();
    this.#upstream.destroy();
  }

  #done(result: TunnelResult): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#deadline.clear();
    this.#settle(result);
  }
}

/** Gives a request the connection that is open already. */
class ConnectedAgent extends Agent {
  readonly #connection: Duplex;

  constructor(connection: Duplex) {
    super({ keepAlive: false });
    this.#connection = connection;
  }

  override createConnection(): Duplex {
    return this.#connection;
  }
}

/** The reason phrase of a status, for answers written without a response object. */
export function statusText(status: number): string {
  return STATUS_CODES[status] ?? 'Unknown';
}
