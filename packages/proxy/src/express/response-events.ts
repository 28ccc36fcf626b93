import type { Socket } from 'node:net';
import { guard } from '@swarmgate/runtime';
import { nodeHttp } from '@swarmgate/runtime/node-http';
import type { HandledExchange } from '../exchange/route-handler.ts';
import { responseError } from './response-checks.ts';
import type { ViewRequest } from './view-request.ts';

export type WriteCallback = (error?: Error | null) => void;

/**
 * A response's states and the order of its events, those of node:http: `finish` when the last bytes have been given to the
 * connection, then the end of an unread request, then `close`; `close` alone where the exchange ends before that.
 */
export class ResponseEvents extends nodeHttp.ServerResponse<ViewRequest> {
  static {
    // The types declare properties; node:http has accessors of its own state, which these replace.
    const accessors: PropertyDescriptorMap & ThisType<ResponseEvents> = {
      writableFinished: {
        get() {
          return this.#writableFinished;
        },
      },
      writableNeedDrain: {
        get() {
          return this.needsDrain && !this.destroyed && !this.finished;
        },
      },
      errored: {
        get() {
          return this.#errored;
        },
      },
      socket: {
        get() {
          return this.#socketNow();
        },
      },
      connection: {
        get() {
          return this.#socketNow();
        },
      },
    };
    for (const [name, accessor] of Object.entries(accessors))
      Object.defineProperty(ResponseEvents.prototype, name, { configurable: true, ...accessor });
  }

  declare _closed: boolean;
  /** The last bytes are given to the exchange, which ends with a whole response. */
  completes = false;
  protected readonly handled: HandledExchange;
  /** The exchange has ended. */
  protected isOver = false;
  /** A write returned `false`. */
  protected needsDrain = false;
  #writableFinished = false;
  #detached = false;
  #errored: Error | null = null;
  #ended: WriteCallback[] = [];

  constructor(request: ViewRequest, handled: HandledExchange) {
    super(request);
    this.handled = handled;
  }

  override destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.#errored = error ?? null;
    if (!this.isOver) this.handled.onFault(error ?? new Error('middleware destroyed the response'));
    return this;
  }

  override setTimeout(ms: number, callback?: (socket: Socket) => void): this {
    if (callback !== undefined) this.on('timeout', callback);
    this.req.socket.setTimeout(ms);
    return this;
  }

  /** Nothing was sent or received for as long as middleware allows. Returns `false` where no listener took it. */
  onTimeout(): boolean {
    return this.emit('timeout', this.#socketNow() as Socket);
  }

  /** The exchange has ended. */
  onOver(): void {
    this.isOver = true;
    if (this.completes) return;
    this.destroyed = true;
    if (this.listenerCount('close') === 0) this._closed = true;
    else process.nextTick(guard(this.handled, () => this.#close()));
  }

  /** The last bytes have been given to the exchange. */
  protected finishSoon(): void {
    process.nextTick(guard(this.handled, () => this.#finish()));
  }

  /** As `finishSoon`, where no listener would be called. */
  protected finishUnwatched(): void {
    this.#writableFinished = true;
    this.#detached = true;
    this.destroyed = true;
    this._closed = true;
    this.req.onResponseFinished();
  }

  protected callSoon(done: WriteCallback | undefined, error?: Error): void {
    if (done !== undefined) process.nextTick(guard(this.handled, () => done(error)));
  }

  /** Takes a callback of `end`. */
  protected onEnded(done: WriteCallback): void {
    if (!this.#writableFinished) {
      this.#ended.push(done);
      return;
    }
    this.callSoon(done, responseError('ERR_STREAM_ALREADY_FINISHED', 'Cannot call end after a stream was finished'));
  }

  /** Reports what came after the end. An error that nothing listens for must not end the process. */
  protected failLate(error: Error, done: WriteCallback | undefined): void {
    const fail = guard(this.handled, () => {
      done?.(error);
      if (!this.destroyed && this.listenerCount('error') > 0) this.emit('error', error);
    });
    process.nextTick(fail);
  }

  #finish(): void {
    this.#writableFinished = true;
    const ended = this.#ended;
    this.#ended = [];
    try {
      for (const each of ended) each();
      this.#detached = true;
      this.emit('finish');
    } finally {
      this.req.onResponseFinished();
      process.nextTick(guard(this.handled, () => this.#close()));
    }
  }

  #close(): void {
    this.destroyed = true;
    this._closed = true;
    this.emit('close');
  }

  #socketNow(): Socket | null {
    return this.#detached ? null : this.req.socket;
  }
}
