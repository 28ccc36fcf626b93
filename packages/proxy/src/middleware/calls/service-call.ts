import type { BodyFraming, ReceivedHead } from '../../http/response-head.ts';
import type { Endpoint, EndpointOutcome, EndpointPick, PickOptions } from '../../model/endpoint.ts';
import type { Route } from '../../model/route.ts';
import type { ConnectionPool, Waiter } from '../../transport/connection-pool.ts';
import type { Timed } from '../../transport/deadline-sweep.ts';
import type { ConnectionFault, EndpointChannel, ResponseReceiver } from '../../transport/endpoint-channel.ts';
import type { OutgoingRequest } from '../../transport/outgoing-request.ts';

/** A response with its whole body. */
export interface WholeResponse {
  readonly status: number;
  /** Flat name, value list, as received. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

export type ServiceCallFailure = 'no-endpoint' | 'unreachable' | 'timeout' | 'too-large' | 'invalid' | 'busy';

/** A service gave no response that can be used. `code` names why. */
export class ServiceCallError extends Error {
  readonly code: ServiceCallFailure;

  constructor(code: ServiceCallFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ServiceCallError';
    this.code = code;
  }
}

export interface ServiceCallOptions {
  readonly route: Route;
  /** Head without a body, as latin1. */
  readonly head: string;
  readonly method: string;
  /** Until the whole response is there, in milliseconds. */
  readonly timeoutMs: number;
  readonly mostBodyBytes: number;
}

export interface ServiceCallContext {
  readonly pool: ConnectionPool;
  readonly pick: (route: Route, options: PickOptions) => EndpointPick;
  readonly finished: (endpoint: Endpoint, outcome: EndpointOutcome) => void;
}

const mostTries = 3;

/**
 * One request of the proxy's own to a service, by the normal balancer and pool. Another endpoint is tried where one accepts no
 * connection, or closes one before the first byte of its response. Rejects with `ServiceCallError`.
 */
export function callService(context: ServiceCallContext, options: ServiceCallOptions): Promise<WholeResponse> {
  return new Promise((resolve, reject) => {
    new ServiceCall(context, options, resolve, reject).start();
  });
}

class ServiceCall implements ResponseReceiver, Waiter, Timed {
  readonly wantsPayload = true;
  readonly silenceMs: number;
  deadlineMs: number;
  sweepPlace = -1;
  readonly #context: ServiceCallContext;
  readonly #options: ServiceCallOptions;
  readonly #request: OutgoingRequest;
  readonly #resolve: (response: WholeResponse) => void;
  readonly #reject: (error: unknown) => void;
  readonly #tried = new Set<string>();
  #tries = 0;
  #endpoint: Endpoint | undefined;
  #connection: EndpointChannel | undefined;
  #isWaiting = false;
  #isOver = false;
  #status = 0;
  #headers: readonly string[] = [];
  readonly #pieces: Buffer[] = [];
  #bodyBytes = 0;

  constructor(
    context: ServiceCallContext,
    options: ServiceCallOptions,
    resolve: (response: WholeResponse) => void,
    reject: (error: unknown) => void,
  ) {
    this.#context = context;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    this.silenceMs = options.timeoutMs;
    this.deadlineMs = context.pool.sweep.in(options.timeoutMs);
    const { method, head } = options;
    this.#request = { method, head, chunked: false, firstBytes: '', whole: true, trailers: '', upgrade: '' };
  }

  start(): void {
    this.#context.pool.sweep.add(this);
    this.#try('any');
  }

  onDeadline(): void {
    this.#fail('timeout', `no whole response within ${this.#options.timeoutMs} ms`, 'timed-out');
  }

  onConnection(connection: EndpointChannel): void {
    this.#isWaiting = false;
    this.#send(connection);
  }

  onQueueTimeout(): void {
    this.#isWaiting = false;
    this.#fail('busy', 'no connection became free in time', 'abandoned');
  }

  onInterim(): void {}
  onWritable(): void {}
  onConnected(): void {}
  onSilence(): void {}

  onUpgrade(): void {
    this.#fail('invalid', 'the service changed the protocol without a request', 'broken');
  }

  onHead(head: ReceivedHead, bytes: Buffer, _framing: BodyFraming, from: number, to: number, complete: boolean) {
    this.#status = head.status;
    this.#headers = head.flat();
    return this.onBody(bytes, from, to, complete);
  }

  onBody(bytes: Buffer, from: number, to: number, complete: boolean): boolean {
    if (this.#isOver) return false;
    this.#bodyBytes += to - from;
    if (this.#bodyBytes > this.#options.mostBodyBytes) {
      this.#fail('too-large', `the response has more than ${this.#options.mostBodyBytes} bytes`, 'abandoned');
      return false;
    }
    // A copy: the bytes are the read buffer's.
    if (to > from) this.#pieces.push(Buffer.from(bytes.subarray(from, to)));
    if (complete) this.#complete();
    return false;
  }

  onBroken(fault: ConnectionFault): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (this.#isOver) return;
    const isStale = fault.kind === 'closed' && connection?.wasIdle === true;
    const mayRepeat = connection?.responding !== true && fault.kind !== 'invalid' && fault.kind !== 'silent';
    const error = 'error' in fault ? fault.error : undefined;
    this.#finished(isStale ? 'abandoned' : outcomeOf(fault));
    if (mayRepeat && this.#tries < mostTries) {
      if (!isStale && this.#endpoint !== undefined) this.#tried.add(this.#endpoint.id);
      this.#try(isStale ? 'fresh' : 'any', error);
      return;
    }
    this.#fail(
      fault.kind === 'invalid' ? 'invalid' : 'unreachable',
      `the connection failed: ${fault.kind}`,
      undefined,
      error,
    );
  }

  onFault(error: unknown): void {
    if (this.#isOver) return;
    this.#end('abandoned');
    this.#reject(error);
  }

  #try(reuse: 'any' | 'fresh', before?: Error): void {
    this.#tries += 1;
    const { pool, pick } = this.#context;
    const found = pick(this.#options.route, this.#tried.size === 0 ? {} : { except: this.#tried });
    if (found.kind === 'none') {
      this.#endpoint = undefined;
      this.#fail(
        before === undefined ? 'no-endpoint' : 'unreachable',
        `no endpoint: ${found.reason}`,
        undefined,
        before,
      );
      return;
    }
    this.#endpoint = found.endpoint;
    const connection = pool.take(found.endpoint, reuse);
    if (connection !== undefined) this.#send(connection);
    else if (pool.wait(found.endpoint, this)) this.#isWaiting = true;
    else this.#fail('busy', 'too many requests wait for the service', 'abandoned');
  }

  #send(connection: EndpointChannel): void {
    this.#connection = connection;
    connection.send(this.#request, this);
  }

  #complete(): void {
    this.#connection = undefined;
    this.#end('responded');
    this.#resolve({ status: this.#status, headers: this.#headers, body: Buffer.concat(this.#pieces) });
  }

  #fail(code: ServiceCallFailure, message: string, outcome: EndpointOutcome | undefined, cause?: Error): void {
    if (this.#isOver) return;
    const at = this.#endpoint === undefined ? '' : ` (${this.#endpoint.host}:${this.#endpoint.port})`;
    this.#end(outcome);
    this.#reject(new ServiceCallError(code, `${message}${at}`, cause === undefined ? {} : { cause }));
  }

  #end(outcome: EndpointOutcome | undefined): void {
    this.#isOver = true;
    this.#context.pool.sweep.remove(this);
    if (this.#isWaiting && this.#endpoint !== undefined) this.#context.pool.forget(this.#endpoint, this);
    this.#isWaiting = false;
    const connection = this.#connection;
    this.#connection = undefined;
    if (outcome !== undefined) this.#finished(outcome);
    connection?.abandon();
  }

  #finished(outcome: EndpointOutcome): void {
    if (this.#endpoint !== undefined) this.#context.finished(this.#endpoint, outcome);
  }
}

function outcomeOf({ kind }: ConnectionFault): EndpointOutcome {
  if (kind === 'refused') return 'refused';
  if (kind === 'connect-timeout' || kind === 'silent') return 'timed-out';
  return kind === 'closed' || kind === 'invalid' || kind === 'wrong-protocol' ? 'broken' : 'abandoned';
}
