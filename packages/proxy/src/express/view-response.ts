import type { OutgoingHttpHeader, OutgoingHttpHeaders } from 'node:http';
import { nodeHttp } from '@swarmgate/runtime/node-http';
import type { ClientHead } from '../exchange/client-head.ts';
import type { ClientFraming, ResponsePiece } from '../exchange/client-side.ts';
import type { HandledExchange } from '../exchange/route-handler.ts';
import { connectionFields } from '../http/hop-by-hop.ts';
import { HeaderList } from '../model/header-list.ts';
import { httpDate } from '../server/http1/local-response-text.ts';
import {
  bytesOf,
  checkReason,
  checkStatus,
  interimHeaders,
  pairsOf,
  responseError,
  trailerLinesOf,
} from './response-checks.ts';
import { ResponseEvents, type WriteCallback } from './response-events.ts';
import type { RequestPeer, ViewRequest } from './view-request.ts';

/** A response of node:http's shape that writes to the exchange: for Express and its middleware. */
export class ViewResponse extends ResponseEvents implements RequestPeer {
  static {
    // The types declare properties; node:http has accessors of its own state, which these replace.
    const accessors: PropertyDescriptorMap & ThisType<ViewResponse> = {
      headersSent: {
        get() {
          return this.#headWritten;
        },
      },
      // Older middleware (`express-session`) detects by it whether the head has been written.
      _header: {
        get() {
          return this.#headWritten ? headWrittenMark : null;
        },
        set() {
          // node:http sets it while it makes a response.
        },
      },
    };
    for (const [name, accessor] of Object.entries(accessors))
      Object.defineProperty(ViewResponse.prototype, name, { configurable: true, ...accessor });
  }

  declare _sent100: boolean;
  /** Called as bytes leave. */
  onSent: (() => void) | undefined;
  /** Names as they were spelled, by lower-case name. */
  readonly #names = new Map<string, string>();
  /** `writeHead` has been called: from here on headers are fixed. */
  #headWritten = false;
  /** The head has been sent. */
  #sent = false;
  #closes = false;
  /** The endpoint's response passes as it is: bytes of middleware among it would shift the next response. */
  #passed = false;
  /** Of a body that is given whole; -1: it is not. */
  #wholeLength = -1;
  #removedLength = false;
  /** Left of an announced length; -1: none was announced. */
  #left = -1;
  #hasBody = true;
  #trailers = '';
  /** Flat name, value list whose order the head keeps. */
  #order: readonly string[] = [];

  constructor(request: ViewRequest, handled: HandledExchange) {
    super(request, handled);
    request.peer = this;
  }

  override setHeader(name: string, value: number | string | readonly string[]): this {
    this.#refuseAfterHead('set');
    this.#names.set(name.toLowerCase(), name);
    return super.setHeader(name, value);
  }

  override appendHeader(name: string, value: string | readonly string[]): this {
    this.#refuseAfterHead('append');
    if (!this.#names.has(name.toLowerCase())) this.#names.set(name.toLowerCase(), name);
    return super.appendHeader(name, value);
  }

  override removeHeader(name: string): void {
    this.#refuseAfterHead('remove');
    if (name.toLowerCase() === 'content-length') this.#removedLength = true;
    super.removeHeader(name);
  }

  override writeHead(
    status: number,
    reason?: string | OutgoingHttpHeaders | OutgoingHttpHeader[],
    headers?: OutgoingHttpHeaders | OutgoingHttpHeader[],
  ): this {
    this.#refuseAfterHead('write');
    const code = checkStatus(status);
    const fields = typeof reason === 'string' ? headers : (reason ?? headers);
    this.#setFields(fields);
    this.statusCode = code;
    this.statusMessage =
      typeof reason === 'string' ? reason : this.statusMessage || (nodeHttp.STATUS_CODES[code] ?? 'unknown');
    checkReason(this.statusMessage);
    this.#headWritten = true;
    return this;
  }

  override flushHeaders(): void {
    if (this.#sent || this.isOver) return;
    if (!this.#headWritten) this.writeHead(this.statusCode);
    this.#sendHead(noBytes, false);
  }

  // `writeContinue`, `writeProcessing` and `writeEarlyHints` of node:http call it.
  override writeInformation(
    status: number,
    headers?: OutgoingHttpHeaders | readonly OutgoingHttpHeader[] | null | (() => void),
    callback?: () => void,
  ): boolean {
    this.#refuseAfterHead('write');
    const fields = interimHeaders(status, typeof headers === 'function' ? undefined : headers);
    const done = typeof headers === 'function' ? headers : callback;
    if (!this.isOver) this.handled.sendInterim({ status, reason: '', sent: undefined, headers: fields });
    this.callSoon(done);
    return true;
  }

  override addTrailers(trailers: OutgoingHttpHeaders | readonly (readonly [string, string])[]): void {
    this.#trailers = trailerLinesOf(trailers);
  }

  override write(chunk: unknown, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean {
    const done = typeof encoding === 'function' ? encoding : callback;
    if (this.#refusesPassed()) return false;
    const bytes = bytesOf(chunk, encoding);
    if (this.finished) {
      this.failLate(responseError('ERR_STREAM_WRITE_AFTER_END', 'write after end'), done);
      return false;
    }
    if (this.destroyed) {
      this.callSoon(done, responseError('ERR_STREAM_DESTROYED', 'Cannot call write after a stream was destroyed'));
      return false;
    }
    // Middleware such as `on-headers` replaces `writeHead`: it is called as node:http would.
    if (!this.#headWritten) this.writeHead(this.statusCode);
    this.#sendPiece(bytes, false);
    this.callSoon(done);
    if (!this.handled.clogged) return true;
    this.needsDrain = true;
    return false;
  }

  override end(chunk?: unknown, encoding?: BufferEncoding | (() => void), callback?: () => void): this {
    const data = typeof chunk === 'function' || !chunk ? undefined : chunk;
    const done = [chunk, encoding, callback].find((each) => typeof each === 'function') as WriteCallback | undefined;
    if (this.#refusesPassed()) return this;
    const bytes = data === undefined ? noBytes : bytesOf(data, encoding);
    if (this.finished) {
      if (data !== undefined)
        this.failLate(responseError('ERR_STREAM_WRITE_AFTER_END', 'write after end'), done ?? (() => undefined));
      else if (done !== undefined) this.onEnded(done);
      return this;
    }
    if (!this.destroyed && !this.#headWritten) {
      this.#wholeLength = bytes.length;
      this.writeHead(this.statusCode);
    }
    if (done !== undefined) this.onEnded(done);
    this.finished = true;
    if (!this.destroyed) this.#sendPiece(bytes, true);
    this.emit('prefinish');
    return this;
  }

  /** The client waits with its body until it gets a 100 (RFC 9110, section 10.1.1). */
  onBodyAwaited(): void {
    const { request } = this.handled.exchange;
    if (this._sent100 || this.#headWritten || this.isOver || !request.has('expect')) return;
    // The endpoint would have to be notified of an expectation that has been met.
    request.delete('expect');
    this.writeContinue();
  }

  /** No middleware has responded, set a field or replaced a method: a response may pass as it is. */
  get isUntouched(): boolean {
    return !this.#headWritten && this.#names.size === 0 && !replaced.some((name) => Object.hasOwn(this, name));
  }

  /** Sends the head of an endpoint's response as it is. `undefined` if it cannot be sent. */
  passHead(head: ClientHead, framing: ClientFraming, closes: boolean, piece: ResponsePiece): boolean | undefined {
    this.statusCode = head.status;
    this.#headWritten = true;
    this.#sent = true;
    this.#passed = true;
    const { complete } = piece;
    if (complete) this.completes = true;
    const inUse = this.handled.sendHead(head, framing, closes, piece);
    if (inUse === undefined) this.completes = false;
    else if (complete) this.#finishPassed();
    return inUse;
  }

  passBody(piece: ResponsePiece): boolean {
    const { complete } = piece;
    if (complete) this.completes = true;
    const inUse = this.handled.sendBody(piece);
    if (complete) this.#finishPassed();
    return inUse;
  }

  /** Keeps the order of these fields, and of several fields of one name among others, where middleware left them as they are. */
  keepOrderOf(flat: readonly string[]): void {
    this.#order = flat;
  }

  /** The client reads again. */
  onClientDrained(): void {
    this.req.touchSocket();
    if (!this.needsDrain && !this.#passed) return;
    this.needsDrain = false;
    this.emit('drain');
  }

  #refusesPassed(): boolean {
    if (!this.#passed || this.isOver || this.finished) return false;
    this.handled.onFault(new Error('middleware has written into a response that the endpoint sends'));
    return true;
  }

  #finishPassed(): void {
    this.finished = true;
    this.emit('prefinish');
    // Nearly every response that is forwarded: nothing listens.
    if (this.listenerCount('finish') === 0 && this.listenerCount('close') === 0) this.finishUnwatched();
    else this.finishSoon();
  }

  #setFields(fields: OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined): void {
    if (fields === undefined) return;
    const seen = new Set<string>();
    for (const [name, value] of pairsOf(fields)) {
      // Of one name in a list each stands for itself; they replace what was set before.
      if (Array.isArray(fields) && seen.has(name.toLowerCase()))
        this.appendHeader(name, value as string | readonly string[]);
      else this.setHeader(name, value);
      seen.add(name.toLowerCase());
    }
  }

  #sendPiece(bytes: Buffer, complete: boolean): void {
    this.onSent?.();
    this.req.touchSocket();
    if (!this.#sent) {
      this.#sendHead(bytes, complete);
      return;
    }
    if (!this.#fits(bytes.length, complete)) return;
    const length = this.#hasBody ? bytes.length : 0;
    if (length === 0 && !complete) return;
    this.completes = complete;
    this.handled.sendBody(this.#piece(bytes, length, complete));
    if (complete) this.finishSoon();
  }

  #sendHead(bytes: Buffer, complete: boolean): void {
    const { head, framing } = this.#headNow();
    this.#sent = true;
    if (!this.#fits(bytes.length, complete)) return;
    const piece = this.#piece(bytes, this.#hasBody ? bytes.length : 0, complete);
    this.completes = complete;
    if (this.handled.sendHead(head, framing, this.#closes, piece) === undefined) {
      this.completes = false;
      this.handled.onFault(new Error('the head of the response cannot be sent'));
    } else if (complete) this.finishSoon();
  }

  #headNow(): { readonly head: ClientHead; readonly framing: ClientFraming } {
    const { statusCode: status } = this;
    const headers = new HeaderList();
    const left = this.#valuesByName();
    for (let at = 0; at < this.#order.length; at += 2) {
      const name = this.#order[at] as string;
      const values = left.get(name.toLowerCase());
      const value = values?.shift();
      if (value !== undefined) headers.add(name, value);
    }
    for (const [lower, values] of left) for (const value of values) headers.add(this.#names.get(lower) ?? lower, value);
    this.#hasBody = this.req.method !== 'HEAD' && mayHaveBody(status);
    const isWhole = this.#wholeLength !== -1 && this.#hasBody && this.#trailers === '' && !this.#removedLength;
    if (isWhole && !headers.has('content-length') && !this.hasHeader('transfer-encoding') && !this.hasHeader('trailer'))
      headers.add('Content-Length', String(this.#wholeLength));
    if (this.sendDate && !headers.has('date')) headers.add('Date', httpDate());
    const length = headers.get('content-length');
    if (length !== undefined && status === 204) headers.delete('content-length');
    if (this.#hasBody && length !== undefined) this.#left = Number(length);
    const framing = !this.#hasBody ? 'none' : length === undefined ? 'unsized' : 'length';
    const reason = this.statusMessage === nodeHttp.STATUS_CODES[status] ? '' : this.statusMessage;
    return { head: { status, reason, sent: undefined, headers }, framing };
  }

  #valuesByName(): Map<string, string[]> {
    const found = new Map<string, string[]>();
    for (const lower of this.getHeaderNames()) {
      const value = this.getHeader(lower);
      if (lower === 'connection' && /\bclose\b/i.test(String(value))) this.#closes = true;
      if (connectionFields.has(lower) || value === undefined) continue;
      found.set(lower, Array.isArray(value) ? value.map(String) : [String(value)]);
    }
    return found;
  }

  /** A body that is not as long as announced would shift the next response: the response is cut. */
  #fits(length: number, complete: boolean): boolean {
    if (!this.#hasBody || this.#left === -1) return true;
    this.#left -= length;
    if (this.#left >= 0 && (!complete || this.#left === 0)) return true;
    this.handled.onFault(new Error(`the body is ${this.#left < 0 ? 'longer' : 'shorter'} than its Content-Length`));
    return false;
  }

  #piece(bytes: Buffer, length: number, complete: boolean): ResponsePiece {
    return { bytes, from: 0, to: length, complete, before: '', trailers: complete ? this.#trailers : '' };
  }

  #refuseAfterHead(verb: string): void {
    if (!this.#headWritten) return;
    throw responseError('ERR_HTTP_HEADERS_SENT', `Cannot ${verb} headers after they are sent to the client`);
  }
}

const noBytes = Buffer.alloc(0);
const headWrittenMark = 'HTTP/1.1';

/** Methods that middleware replaces to see a response. */
const replaced = ['writeHead', 'write', 'end', 'setHeader', 'flushHeaders'];

function mayHaveBody(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 304;
}
