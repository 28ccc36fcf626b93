import type { BodyFraming, UpstreamHead } from '../http/response-head.ts';
import type { Endpoint, EndpointOutcome } from '../model/endpoint.ts';
import type { Route } from '../model/route.ts';
import { failoverConnectTimeoutMs } from '../transport/connect.ts';
import type { ConnectionPool, ReusePolicy, Waiter } from '../transport/connection-pool.ts';
import type { ConnectionFault, EndpointConnection, ResponseReceiver } from '../transport/endpoint-connection.ts';
import type { ExchangeContext } from './exchange-context.ts';
import type { ForwardFailure } from './forward-failure.ts';
import type { RetryBudget } from './retry-budget.ts';

/** What all requests of one lane forward with. */
export interface ForwardingRoom {
  readonly context: ExchangeContext;
  readonly pool: ConnectionPool;
  readonly budget: RetryBudget;
  /** How long an endpoint may stay silent where the route does not say. */
  readonly serverMs: number;
}

/** Takes the answer; made by a lane. Places in `bytes` hold only during the call. */
export interface AnswerSink {
  readonly wantsPayload: boolean;
  onInterim(head: UpstreamHead, bytes: Buffer): void;
  /** Answers `true` if `bytes` are still in use afterwards. */
  onHead(head: UpstreamHead, bytes: Buffer, framing: BodyFraming, from: number, to: number, complete: boolean): boolean;
  onBody(bytes: Buffer, from: number, to: number, complete: boolean, held: string): boolean;
  /** `answered`: the head is out already, so all that can be done is not to make it look complete. */
  onFailure(failure: ForwardFailure, answered: boolean): void;
  /** The endpoint takes more of the request's body. */
  onWritable(): void;
}

export interface ForwardRequest {
  readonly route: Route;
  readonly method: string;
  /** Head, and what is there of the body, as latin1. */
  readonly text: string;
  /** `text` holds the whole request. */
  readonly whole: boolean;
  readonly stickTo: string | undefined;
}

const mostTries = 3;

/** Nearly every request's wish: one object for all of them. */
const anyEndpoint = {};

/** Methods that may be sent twice (RFC 9110, section 9.2.2). */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * One request on its way to an endpoint and, where that is safe, to another one: no byte of an answer has arrived, and
 * either no byte of the request left or the method is idempotent; and a budget so that retries cannot storm.
 */
export class Forwarding implements ResponseReceiver, Waiter {
  readonly #room: ForwardingRoom;
  readonly #request: ForwardRequest;
  readonly #sink: AnswerSink;
  readonly #silenceMs: number;
  #tried: Set<string> | undefined;
  #connection: EndpointConnection | undefined;
  #waiting = false;
  #wanted: ReusePolicy;
  #hasOthers = false;
  #answered = false;
  /** Body bytes beyond `text` have been written: they are not kept, so the request cannot be sent again. */
  #beyondText = false;
  #whole: boolean;
  #over = false;
  endpoint: Endpoint | undefined;
  retries = 0;
  /** When the head arrived, by `performance.now()`. */
  headAtMs: number | undefined;

  constructor(room: ForwardingRoom, request: ForwardRequest, sink: AnswerSink) {
    this.#room = room;
    this.#request = request;
    this.#sink = sink;
    this.#whole = request.whole;
    this.#silenceMs = request.route.destination.timeoutServerMs ?? room.serverMs;
    this.#wanted = idempotent.has(request.method) ? 'any' : 'recent';
  }

  get wantsPayload(): boolean {
    return this.#sink.wantsPayload;
  }

  /** Trailer lines of a chunked answer that is complete. */
  get trailers(): string {
    return this.#connection?.trailers ?? '';
  }

  /** More of the body may be given: the endpoint is connected and keeps up. */
  get takesBody(): boolean {
    return this.#connection?.connected === true && !this.#connection.socket.writableNeedDrain;
  }

  start(): void {
    this.#room.budget.onRequest();
    this.#try();
  }

  /** Answers `false` where the caller should wait for `onWritable`. */
  writeBody(piece: Buffer | string): boolean {
    if (this.#connection === undefined) return true;
    this.#beyondText = true;
    return this.#connection.writeBody(piece);
  }

  endBody(): void {
    this.#whole = true;
    this.#connection?.endBody();
  }

  pauseAnswer(): void {
    this.#connection?.pause();
  }

  resumeAnswer(): void {
    this.#connection?.resume();
  }

  /** The client is gone. */
  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#waiting && this.endpoint !== undefined) this.#room.pool.forget(this.endpoint, this);
    this.#connection?.abandon();
    this.#finished('abandoned');
  }

  onConnected(): void {
    if (!this.#whole) this.#sink.onWritable();
  }

  onWritable(): void {
    if (!this.#whole) this.#sink.onWritable();
  }

  onConnection(connection: EndpointConnection): void {
    this.#waiting = false;
    this.#send(connection);
  }

  onQueueTimeout(): void {
    this.#waiting = false;
    this.#finished('abandoned');
    this.#fail('queue-timeout');
  }

  onInterim(head: UpstreamHead, bytes: Buffer): void {
    this.#sink.onInterim(head, bytes);
  }

  onHead(head: UpstreamHead, bytes: Buffer, framing: BodyFraming, from: number, to: number, complete: boolean) {
    this.#answered = true;
    this.headAtMs = performance.now();
    if (complete) this.#complete();
    return this.#sink.onHead(head, bytes, framing, from, to, complete);
  }

  onBody(bytes: Buffer, from: number, to: number, complete: boolean, held: string): boolean {
    if (complete) this.#complete();
    return this.#sink.onBody(bytes, from, to, complete, held);
  }

  /** Whoever could be asked instead is asked where the endpoint turns out to be gone: a slow one is waited for. */
  onSilence(): void {
    const connection = this.#connection;
    if (connection === undefined || !this.#hasOthers || !this.#mayBeSentTwice(connection)) return;
    this.#room.pool.probes.ask(connection.endpoint, () => {
      if (!this.#over && this.#connection === connection) this.#leave(connection);
    });
  }

  #leave(connection: EndpointConnection): void {
    if (!this.#mayBeSentTwice(connection) || !this.#room.budget.take()) return;
    connection.abandon();
    this.#finished('unreachable');
    this.#retryElsewhere(connection);
    this.#try('endpoint-unreachable');
  }

  #retryElsewhere({ endpoint }: EndpointConnection): void {
    this.retries++;
    this.#connection = undefined;
    this.#tried ??= new Set();
    this.#tried.add(endpoint.id);
  }

  onBroken(fault: ConnectionFault): void {
    const connection = this.#connection;
    if (connection === undefined || this.#over) return;
    if (this.#answered) {
      this.#finished('broken');
      this.#fail(fault.kind === 'invalid' ? 'endpoint-answer-invalid' : 'endpoint-unreachable');
      return;
    }
    // A connection that had served before and closes without a byte was most likely idle for too long: that says
    // nothing of the endpoint, so it may be asked again, on a fresh connection.
    const stale = fault.kind === 'closed' && connection.served > 0 && !connection.answering;
    this.#finished(stale ? 'abandoned' : outcomeOf(fault));
    if (!this.#mayTryAgain(fault, connection)) {
      this.#fail(failureOf(fault));
      return;
    }
    if (stale) {
      this.retries++;
      this.#connection = undefined;
      this.#wanted = 'fresh';
    } else this.#retryElsewhere(connection);
    this.#try(failureOf(fault));
  }

  #mayTryAgain(fault: ConnectionFault, connection: EndpointConnection): boolean {
    const unsent = fault.kind === 'refused' || fault.kind === 'connect-timeout';
    if (unsent ? !this.#isHeld(connection) : fault.kind !== 'closed' || !this.#mayBeSentTwice(connection)) return false;
    return this.#room.budget.take();
  }

  #mayBeSentTwice(connection: EndpointConnection): boolean {
    return idempotent.has(this.#request.method) && this.#isHeld(connection);
  }

  /** The request is here to be sent again, and nothing of an answer has come. */
  #isHeld(connection: EndpointConnection): boolean {
    return !connection.answering && !this.#beyondText && this.retries + 1 < mostTries;
  }

  /** @param before What the last try failed with: told where no other endpoint is left. */
  #try(before?: ForwardFailure): void {
    const { stickTo, route } = this.#request;
    const pick = this.#room.context.pick(route, this.#wish(stickTo));
    if (pick.kind === 'none') {
      this.#fail(before ?? pick.reason);
      return;
    }
    this.endpoint = pick.endpoint;
    this.#hasOthers = pick.hasOthers;
    const { pool } = this.#room;
    const connection = pool.take(pick.endpoint, this.#wanted, pick.hasOthers ? failoverConnectTimeoutMs : undefined);
    if (connection !== undefined) {
      this.#send(connection);
      return;
    }
    this.#waiting = this.#room.pool.wait(pick.endpoint, this);
    if (!this.#waiting) {
      this.#finished('abandoned');
      this.#fail('queue-full');
    }
  }

  #wish(stickTo: string | undefined): { readonly stickTo?: string; readonly except?: ReadonlySet<string> } {
    if (stickTo === undefined && this.#tried === undefined) return anyEndpoint;
    return {
      ...(stickTo === undefined ? {} : { stickTo }),
      ...(this.#tried === undefined ? {} : { except: this.#tried }),
    };
  }

  #send(connection: EndpointConnection): void {
    this.#connection = connection;
    const { text, method } = this.#request;
    connection.send(text, method, this.#whole, this.#silenceMs, this);
    if (!this.#whole && connection.connected) this.#sink.onWritable();
  }

  #complete(): void {
    this.#over = true;
    this.#finished('answered');
  }

  #fail(failure: ForwardFailure): void {
    this.#over = true;
    this.#sink.onFailure(failure, this.#answered);
  }

  #finished(outcome: EndpointOutcome): void {
    if (this.endpoint !== undefined) this.#room.context.finished(this.endpoint, outcome);
  }
}

function outcomeOf(fault: ConnectionFault): EndpointOutcome {
  switch (fault.kind) {
    case 'refused':
      return 'refused';
    case 'connect-timeout':
    case 'silent':
      return 'timed-out';
    default:
      return 'broken';
  }
}

function failureOf(fault: ConnectionFault): ForwardFailure {
  switch (fault.kind) {
    case 'connect-timeout':
      return 'connect-timeout';
    case 'silent':
      return 'head-timeout';
    case 'invalid':
      return 'endpoint-answer-invalid';
    default:
      return 'endpoint-unreachable';
  }
}
