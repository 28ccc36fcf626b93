import type { OpenSides } from '../endpoints/open-connections.ts';
import type { BodyFraming, ReceivedHead } from '../http/response-head.ts';
import type { Endpoint, EndpointOutcome, PickOptions } from '../model/endpoint.ts';
import type { Exchange } from '../model/exchange.ts';
import type { Route } from '../model/route.ts';
import { failoverConnectTimeoutMs } from '../transport/connect.ts';
import type { ConnectionPool, ReusePolicy, Waiter } from '../transport/connection-pool.ts';
import type { ConnectionFault, EndpointChannel, ResponseReceiver } from '../transport/endpoint-channel.ts';
import type { OutgoingRequest } from '../transport/outgoing-request.ts';
import type { CopiesBytes, ResponseConsumer } from '../transport/response-reader.ts';
import type { FailedAttempt } from './access-record.ts';
import { failureOf, idempotent, outcomeOf, unsentKinds } from './attempt-outcome.ts';
import { longBodyBytes } from './client-side.ts';
import type { ExchangeContext } from './exchange-context.ts';
import type { ForwardFailure } from './forward-failure.ts';
import { HeldBody } from './held-body.ts';
import type { RetryBudget } from './retry-budget.ts';
import { type SilenceLimits, silenceBeforeHead, silenceWithin } from './silence-limits.ts';
import type { RequestTrace } from './tracing/trace-context.ts';
import { ofAttempt, withHeld } from './upstream-request.ts';

/** What all requests of one server are forwarded with. */
export interface ForwardingContext extends ExchangeContext, SilenceLimits {
  readonly pool: ConnectionPool;
  readonly budget: RetryBudget;
}

/** Takes the response. Places in `bytes` hold only during the call. */
export interface ForwardingSink extends ResponseConsumer {
  /** `responded`: the head is out already, so the response can only be cut, not replaced. */
  onFailure(failure: ForwardFailure, responded: boolean): void;
  /** The endpoint takes more of the request's body. */
  onWritable(): void;
  onFault(error: unknown): void;
}

const usualTries = 3;
/** After so long without a response, in milliseconds, a failed check of the endpoint ends a request; a gRPC call may have no other limit. */
const patientMs = { request: 60_000, call: 10_000 };

/** Nearly every request's options: one object for all of them. */
const anyEndpoint: PickOptions = {};

/**
 * One request on its way to an endpoint and, where that is safe, to another one. It is safe where no byte of a response
 * has arrived, the whole of what was sent is still buffered here, and either no byte of the request left, the endpoint gave it
 * back unprocessed (HTTP/2), or the method is idempotent. A budget keeps retries from multiplying.
 */
export class Forwarding implements ResponseReceiver, Waiter {
  readonly #context: ForwardingContext;
  readonly #route: Route;
  #request: OutgoingRequest;
  readonly #trace: RequestTrace | undefined;
  readonly #stickTo: string | undefined;
  readonly #mostTries: number;
  readonly #clientAddress: string;
  readonly #sink: ForwardingSink;
  silenceMs: number;
  readonly #startedMs: number;
  #tried: Set<string> | undefined;
  #connection: EndpointChannel | undefined;
  #waiting = false;
  #forgetTunnel: (() => void) | undefined;
  #reuse: ReusePolicy;
  #hasOthers = false;
  #responded = false;
  /** Body bytes beyond those of the request object have been sent: they are not held, so the request cannot be repeated. */
  #sentMoreThanBuffered = false;
  /** Those that are held after all. */
  #held: HeldBody | undefined;
  #whole: boolean;
  #wasUnprocessed = false;
  /** Trailer lines of a body that ended after the request object was made. */
  #trailers = '';
  #over = false;
  endpoint: Endpoint | undefined;
  retries = 0;
  /** Made with the first retry. */
  failedAttempts: FailedAttempt[] | undefined;
  /** When the last attempt began, by `performance.now()`. */
  attemptAtMs: number;
  /** When the response head arrived, by `performance.now()`. */
  headAtMs: number | undefined;

  /**
   * @param chosen what steps of the route have chosen
   * @param nowMs by `performance.now()`
   * @param trace whose `traceparent` the request's head has
   */
  constructor(
    context: ForwardingContext,
    route: Route,
    request: OutgoingRequest,
    chosen: Partial<Pick<Exchange, 'stickTo' | 'mostTries' | 'client'>> | undefined,
    nowMs: number,
    sink: ForwardingSink,
    trace?: RequestTrace,
  ) {
    this.#context = context;
    this.#route = route;
    this.#request = request;
    this.#trace = trace;
    this.#stickTo = chosen?.stickTo;
    this.#mostTries = chosen?.mostTries ?? usualTries;
    this.#clientAddress = chosen?.client?.address ?? '';
    this.#sink = sink;
    this.attemptAtMs = nowMs;
    this.#startedMs = nowMs;
    this.#whole = request.whole;
    this.silenceMs = silenceBeforeHead(route, request, context);
    this.#reuse = idempotent.has(request.method) ? 'any' : 'recent';
  }

  get wantsPayload(): boolean {
    return this.#sink.wantsPayload;
  }

  get copiesBytes(): CopiesBytes | undefined {
    return this.#sink.copiesBytes;
  }

  /** Trailer lines of a chunked response that is complete. */
  get trailers(): string {
    return this.#connection?.trailers ?? '';
  }

  /** More of the body may be given: the endpoint is connected and keeps up. */
  get takesBody(): boolean {
    return this.#connection?.takesBody === true;
  }

  start(): void {
    this.#context.budget.onRequest();
    this.#try();
  }

  /** Returns `false` where the caller waits for `onWritable`. */
  writeBody(bytes: Buffer, from: number, to: number): boolean {
    const connection = this.#connection;
    if (connection === undefined) return true;
    const isFirst = this.#held === undefined && !this.#sentMoreThanBuffered;
    // HTTP/2 may give a request back unprocessed. A long body is not in the request object, although it came with the head.
    const isLong = isFirst && to - from > longBodyBytes;
    const mayReturn = connection.endpoint.http2 === true || (isLong && idempotent.has(this.#request.method));
    if (mayReturn) this.#hold(bytes, from, to, true);
    const goesOn = connection.writeBody(bytes, from, to);
    if (!mayReturn) this.#hold(bytes, from, to, isFirst && connection.isUnsent === true);
    return goesOn;
  }

  #hold(bytes: Buffer, from: number, to: number, mayRepeat: boolean): void {
    if (this.#sentMoreThanBuffered) return;
    if (mayRepeat && !this.#responded) this.#held ??= new HeldBody();
    if (mayRepeat && !this.#responded && this.#held?.add(bytes, from, to) === true) return;
    this.#sentMoreThanBuffered = true;
    this.#held?.release();
  }

  endBody(trailers: string): void {
    this.#whole = true;
    this.#trailers = trailers;
    this.#connection?.endBody(trailers);
  }

  /** Once the response is complete, its connection belongs to another exchange. */
  pauseResponse(): void {
    if (!this.#over) this.#connection?.pause();
  }

  resumeResponse(): void {
    if (!this.#over) this.#connection?.resume();
  }

  /** The client is gone, or the exchange has ended without this response. */
  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#waiting && this.endpoint !== undefined) this.#context.pool.forget(this.endpoint, this);
    this.#connection?.abandon();
    this.#finished('abandoned');
  }

  /** The connection, which carries a tunnel from here on. Its end counts as the exchange's. */
  takeTunnel(tunnel: OpenSides): EndpointChannel | undefined {
    this.#over = true;
    const { endpoint } = this;
    if (endpoint !== undefined)
      this.#forgetTunnel = this.#context.tunnels?.add({
        key: this.#route.key,
        endpoint,
        clientAddress: this.#clientAddress,
        sides: tunnel,
      });
    return this.#connection;
  }

  /** The tunnel has ended. */
  onTunnelOver(): void {
    this.#forgetTunnel?.();
    this.#finished('responded');
  }

  onFault(error: unknown): void {
    this.#sink.onFault(error);
  }

  onConnected(): void {
    if (!this.#whole) this.#sink.onWritable();
  }

  onWritable(): void {
    if (!this.#whole) this.#sink.onWritable();
  }

  onConnection(connection: EndpointChannel): void {
    this.#waiting = false;
    this.#send(connection);
  }

  onQueueTimeout(): void {
    this.#waiting = false;
    this.#finished('abandoned');
    this.#fail('queue-timeout');
  }

  onInterim(head: ReceivedHead): void {
    this.#sink.onInterim(head);
  }

  onHead(head: ReceivedHead, bytes: Buffer, framing: BodyFraming, from: number, to: number, complete: boolean) {
    this.#responded = true;
    this.#held?.release();
    this.headAtMs = performance.now();
    if (complete) this.#complete();
    else this.silenceMs = silenceWithin(this.#route, head, this.silenceMs, this.#context);
    return this.#sink.onHead(head, bytes, framing, from, to, complete);
  }

  onBody(bytes: Buffer, from: number, to: number, complete: boolean, carried: string): boolean {
    if (complete) this.#complete();
    return this.#sink.onBody(bytes, from, to, complete, carried);
  }

  onUpgrade(head: ReceivedHead, bytes: Buffer, from: number, to: number): void {
    this.#responded = true;
    this.headAtMs = performance.now();
    this.#sink.onUpgrade(head, bytes, from, to);
  }

  /**
   * Checks whether the endpoint is gone: if so, another one gets the request. A request that may not be sent twice fails, but only
   * after `patientMs`: its limit may be an hour. A slow endpoint is waited for.
   */
  onSilence(silentMs: number): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    const hasWaited = silentMs > (this.#request.silenceMs === undefined ? patientMs.request : patientMs.call);
    if (!hasWaited && !(this.#hasOthers && this.#mayBeSentTwice(connection))) return;
    this.#context.pool.livenessConnects.check(connection.endpoint, () => {
      if (this.#over || this.#connection !== connection) return;
      if (this.#hasOthers && this.#mayBeSentTwice(connection)) this.#leave(connection);
      else if (hasWaited && !this.#responded) this.#giveUpOn(connection);
    });
  }

  #giveUpOn(connection: EndpointChannel): void {
    connection.abandon();
    this.#finished('unreachable');
    this.#fail('endpoint-unreachable');
  }

  #leave(connection: EndpointChannel): void {
    if (!this.#mayBeSentTwice(connection) || !this.#context.budget.take()) return;
    connection.abandon();
    this.#finished('unreachable');
    this.#except(connection);
    this.#try('endpoint-unreachable');
  }

  #except({ endpoint }: EndpointChannel): void {
    this.#tried ??= new Set();
    this.#tried.add(endpoint.id);
  }

  onBroken(fault: ConnectionFault): void {
    const connection = this.#connection;
    if (connection === undefined || this.#over) return;
    if (fault.kind === 'wrong-protocol') this.#context.wrongProtocol?.(this.#route, connection.endpoint, fault.spoken);
    if (this.#responded) {
      this.#finished('broken');
      this.#fail(fault.kind === 'invalid' ? 'endpoint-answer-invalid' : 'endpoint-unreachable');
      return;
    }
    // A connection that was idle before and closes without a byte was most likely idle for too long: that is
    // no failure of the endpoint, so it may be tried again, on a fresh connection.
    const stale = fault.kind === 'closed' && connection.wasIdle && !connection.responding;
    this.#finished(stale ? 'abandoned' : outcomeOf(fault));
    if (!this.#mayTryAgain(fault, connection)) {
      this.#fail(failureOf(fault));
      return;
    }
    if (stale || fault.kind === 'unprocessed') this.#reuse = 'fresh';
    // Where there is no other endpoint, this one may take the request on a new connection.
    if (!stale && fault.kind !== 'local-shortage' && (fault.kind !== 'unprocessed' || this.#hasOthers))
      this.#except(connection);
    this.#try(failureOf(fault));
  }

  #mayTryAgain(fault: ConnectionFault, connection: EndpointChannel): boolean {
    const isSafe = unsentKinds.has(fault.kind)
      ? this.#isReplayable(connection)
      : fault.kind === 'closed' && this.#mayBeSentTwice(connection);
    if (!isSafe) return false;
    // An endpoint that ends gives back all that it has not begun at once, which is no failure: the first time is free.
    if (fault.kind === 'unprocessed' && !this.#wasUnprocessed) {
      this.#wasUnprocessed = true;
      return true;
    }
    return this.#context.budget.take();
  }

  #mayBeSentTwice(connection: EndpointChannel): boolean {
    return idempotent.has(this.#request.method) && this.#isReplayable(connection);
  }

  /** The request is here to be sent again, and nothing of a response has come. */
  #isReplayable(connection: EndpointChannel): boolean {
    return !connection.responding && !this.#sentMoreThanBuffered && this.retries + 1 < this.#mostTries;
  }

  /** @param before What the last try failed with: the reason given where no other endpoint is left. */
  #try(before?: ForwardFailure): void {
    this.#connection = undefined;
    const pick = this.#context.pick(this.#route, this.#pickOptions());
    if (pick.kind === 'none') {
      this.#fail(before ?? pick.reason);
      return;
    }
    if (before !== undefined) this.#noteFailed(before);
    this.endpoint = pick.endpoint;
    this.#hasOthers = pick.hasOthers;
    const { pool } = this.#context;
    const connection = pool.take(pick.endpoint, this.#reuse, pick.hasOthers ? failoverConnectTimeoutMs : undefined);
    if (connection !== undefined) {
      this.#send(connection);
      return;
    }
    this.#waiting = pool.wait(pick.endpoint, this);
    if (!this.#waiting) {
      this.#finished('abandoned');
      this.#fail('queue-full');
    }
  }

  /** The attempt before is followed by another one, which begins now. */
  #noteFailed(failure: ForwardFailure): void {
    const nowMs = performance.now();
    const afterMs = this.attemptAtMs - this.#startedMs;
    const endpoint = this.endpoint as Endpoint;
    this.failedAttempts ??= [];
    this.failedAttempts.push({ endpoint, failure, afterMs, durationMs: nowMs - this.attemptAtMs });
    this.retries++;
    this.attemptAtMs = nowMs;
    this.#request = ofAttempt(this.#request, this.#trace, this.retries);
  }

  #pickOptions(): PickOptions {
    const stickTo = this.#stickTo;
    if (stickTo === undefined && this.#tried === undefined) return anyEndpoint;
    return {
      ...(stickTo === undefined ? {} : { stickTo }),
      ...(this.#tried === undefined ? {} : { except: this.#tried }),
    };
  }

  #send(connection: EndpointChannel): void {
    this.#connection = connection;
    const held = this.#held?.text ?? '';
    const request = held === '' ? this.#request : withHeld(this.#request, held);
    connection.send(request, this);
    // A body that was whole by the time the connection came free is sent with its end.
    if (this.#whole && !this.#request.whole) connection.endBody(this.#trailers);
    else if (!this.#whole && connection.connected) this.#sink.onWritable();
  }

  #complete(): void {
    this.#over = true;
    this.#finished('responded');
  }

  #fail(failure: ForwardFailure): void {
    this.#over = true;
    this.#sink.onFailure(failure, this.#responded);
  }

  #finished(outcome: EndpointOutcome): void {
    if (this.endpoint !== undefined) this.#context.finished(this.endpoint, outcome);
  }
}
