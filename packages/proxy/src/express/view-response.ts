import { type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse, STATUS_CODES } from 'node:http';
import { guard } from '@swarmgate/runtime';
import type { ClientHead } from '../exchange/client-head.ts';
import type { ClientFraming, ResponsePiece } from '../exchange/client-side.ts';
import type { HandledExchange } from '../exchange/route-handler.ts';
import { HeaderList } from '../model/header-list.ts';
import type { ViewRequest } from './view-request.ts';

/** Fields that the server protocol writes itself (RFC 9110, section 7.6.1). */
const hopByHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'te']);

type WriteCallback = (error?: Error | null) => void;

/** A response of node:http's shape that writes to the exchange: for Express and its middleware. */
export class ViewResponse extends ServerResponse<ViewRequest> {
  static {
    // The types declare a property; node:http has an accessor, which this one replaces.
    Object.defineProperty(ViewResponse.prototype, 'headersSent', {
      configurable: true,
      get(this: ViewResponse): boolean {
        return this.#headWritten;
      },
    });
    // Middleware of older habits (`express-session`) tells by it whether the head has been written.
    Object.defineProperty(ViewResponse.prototype, '_header', {
      configurable: true,
      get(this: ViewResponse): string | null {
        return this.#headWritten ? headWrittenMark : null;
      },
      set() {
        // node:http sets it while it makes a response.
      },
    });
  }

  /** Called as bytes leave. */
  onSent: (() => void) | undefined;
  readonly #handled: HandledExchange;
  /** Names as they were spelled, by lower-case name. */
  readonly #names = new Map<string, string>();
  /** `writeHead` has been called: from here on headers are fixed. */
  #headWritten = false;
  /** The head has been sent. */
  #sent = false;
  #over = false;
  #closes = false;
  /** The endpoint's response passes as it is: bytes of middleware among it would shift the next response. */
  #passed = false;
  /** Left of an announced length; -1: none was announced. */
  #left = -1;
  #hasBody = true;
  #trailers = '';
  /** Flat name, value list whose order the head keeps. */
  #order: readonly string[] = [];

  constructor(request: ViewRequest, handled: HandledExchange) {
    super(request);
    this.#handled = handled;
    this.sendDate = false;
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
    super.removeHeader(name);
  }

  override writeHead(
    status: number,
    reason?: string | OutgoingHttpHeaders | OutgoingHttpHeader[],
    headers?: OutgoingHttpHeaders | OutgoingHttpHeader[],
  ): this {
    this.#refuseAfterHead('write');
    const fields = typeof reason === 'string' ? headers : (reason ?? headers);
    this.#setFields(fields);
    this.statusCode = status;
    this.statusMessage = typeof reason === 'string' ? reason : this.statusMessage || (STATUS_CODES[status] ?? '');
    this.#headWritten = true;
    return this;
  }

  override flushHeaders(): void {
    if (this.#sent || this.#over) return;
    if (!this.#headWritten) this.writeHead(this.statusCode);
    this.#sendHead(noBytes, false);
  }

  override writeContinue(callback?: () => void): void {
    this.#interim(100, new HeaderList());
    callback?.();
  }

  override writeProcessing(callback?: () => void): void {
    this.#interim(102, new HeaderList());
    callback?.();
  }

  override writeEarlyHints(hints: Record<string, string | string[]>, callback?: () => void): void {
    const headers = new HeaderList();
    for (const [name, value] of Object.entries(hints))
      for (const each of Array.isArray(value) ? value : [value]) headers.add(name, each);
    this.#interim(103, headers);
    callback?.();
  }

  override addTrailers(trailers: OutgoingHttpHeaders | readonly (readonly [string, string])[]): void {
    const pairs = Array.isArray(trailers) ? (trailers as [string, string][]) : Object.entries(trailers);
    for (const [name, value] of pairs) this.#trailers += `${name}: ${String(value)}\r\n`;
  }

  // biome-ignore lint/suspicious/noExplicitAny: the signature is that of node:http
  override write(chunk: any, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean {
    const done = typeof encoding === 'function' ? encoding : callback;
    if (this.#refusesPassed()) return false;
    if (this.#over || this.writableEnded) {
      const error = Object.assign(new Error('write after end'), { code: 'ERR_STREAM_WRITE_AFTER_END' });
      if (done !== undefined) process.nextTick(guard(this.#handled, () => done(error)));
      return false;
    }
    // Middleware such as `on-headers` replaces `writeHead`: it is called as node:http would.
    if (!this.#headWritten) this.writeHead(this.statusCode);
    this.#sendPiece(bytesOf(chunk, encoding), false);
    if (done !== undefined) process.nextTick(guard(this.#handled, () => done()));
    return !this.#handled.clogged;
  }

  // biome-ignore lint/suspicious/noExplicitAny: the signature is that of node:http
  override end(chunk?: any, encoding?: BufferEncoding | (() => void), callback?: () => void): this {
    const data = typeof chunk === 'function' || chunk === null ? undefined : chunk;
    const done = [chunk, encoding, callback].find((each) => typeof each === 'function') as (() => void) | undefined;
    if (done !== undefined) this.once('finish', done);
    if (this.#refusesPassed()) return this;
    if (this.#over || this.writableEnded) return this;
    const bytes = data === undefined ? noBytes : bytesOf(data, encoding);
    if (!this.#headWritten) {
      const isFramed = this.hasHeader('content-length') || this.hasHeader('transfer-encoding');
      if (!isFramed && this.#trailers === '' && mayHaveBody(this.statusCode))
        this.setHeader('Content-Length', bytes.length);
      this.writeHead(this.statusCode);
    }
    this.finished = true;
    this.#sendPiece(bytes, true);
    this.emit('prefinish');
    process.nextTick(guard(this.#handled, () => this.emit('finish')));
    return this;
  }

  override destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    if (!this.#over) this.#handled.onFault(error ?? new Error('middleware destroyed the response'));
    return this;
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
    const inUse = this.#handled.sendHead(head, framing, closes, piece);
    if (complete) this.#finishPassed();
    return inUse;
  }

  passBody(piece: ResponsePiece): boolean {
    const { complete } = piece;
    const inUse = this.#handled.sendBody(piece);
    if (complete) this.#finishPassed();
    return inUse;
  }

  /** Keeps the order of these fields, and of several fields of one name among others, where middleware left them as they are. */
  keepOrderOf(flat: readonly string[]): void {
    this.#order = flat;
  }

  /** The client reads again. */
  onClientDrained(): void {
    this.emit('drain');
  }

  /** The exchange has ended. */
  onOver(): void {
    this.#over = true;
    this.destroyed = true;
    if (this.listenerCount('close') > 0) process.nextTick(guard(this.#handled, () => this.emit('close')));
  }

  #refusesPassed(): boolean {
    if (!this.#passed || this.#over || this.finished) return false;
    this.#handled.onFault(new Error('middleware has written into a response that the endpoint sends'));
    return true;
  }

  #finishPassed(): void {
    this.finished = true;
    this.emit('prefinish');
    if (this.listenerCount('finish') > 0) process.nextTick(guard(this.#handled, () => this.emit('finish')));
  }

  #setFields(fields: OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined): void {
    if (fields === undefined) return;
    if (!Array.isArray(fields)) {
      for (const [name, value] of Object.entries(fields)) if (value !== undefined) this.setHeader(name, value);
      return;
    }
    const flat = fields.flat() as string[];
    const seen = new Set<string>();
    for (let at = 0; at + 1 < flat.length; at += 2) {
      const name = String(flat[at]);
      const value = String(flat[at + 1]);
      if (seen.has(name.toLowerCase())) this.appendHeader(name, value);
      else this.setHeader(name, value);
      seen.add(name.toLowerCase());
    }
  }

  #sendPiece(bytes: Buffer, complete: boolean): void {
    this.onSent?.();
    if (!this.#sent) {
      this.#sendHead(bytes, complete);
      return;
    }
    if (!this.#fits(bytes.length, complete)) return;
    const length = this.#hasBody ? bytes.length : 0;
    if (length > 0 || complete) this.#handled.sendBody(this.#piece(bytes, length, complete));
  }

  #sendHead(bytes: Buffer, complete: boolean): void {
    const { head, framing } = this.#headNow();
    this.#sent = true;
    if (!this.#fits(bytes.length, complete)) return;
    const piece = this.#piece(bytes, this.#hasBody ? bytes.length : 0, complete);
    if (this.#handled.sendHead(head, framing, this.#closes, piece) === undefined)
      this.#handled.onFault(new Error('the head of the response cannot be sent'));
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
    const length = headers.get('content-length');
    if (length !== undefined && status === 204) headers.delete('content-length');
    if (this.#hasBody && length !== undefined) this.#left = Number(length);
    const framing = !this.#hasBody ? 'none' : length === undefined ? 'unsized' : 'length';
    const reason = this.statusMessage === STATUS_CODES[status] ? '' : this.statusMessage;
    return { head: { status, reason, lines: undefined, headers }, framing };
  }

  #valuesByName(): Map<string, string[]> {
    const found = new Map<string, string[]>();
    for (const lower of this.getHeaderNames()) {
      const value = this.getHeader(lower);
      if (lower === 'connection' && /\bclose\b/i.test(String(value))) this.#closes = true;
      if (hopByHop.has(lower) || value === undefined) continue;
      found.set(lower, Array.isArray(value) ? value.map(String) : [String(value)]);
    }
    return found;
  }

  /** A body that is not as long as announced would shift the next response: the response is cut. */
  #fits(length: number, complete: boolean): boolean {
    if (!this.#hasBody || this.#left === -1) return true;
    this.#left -= length;
    if (this.#left >= 0 && (!complete || this.#left === 0)) return true;
    this.#handled.onFault(new Error(`the body is ${this.#left < 0 ? 'longer' : 'shorter'} than its Content-Length`));
    return false;
  }

  #piece(bytes: Buffer, length: number, complete: boolean): ResponsePiece {
    return { bytes, from: 0, to: length, complete, before: '', trailers: complete ? this.#trailers : '' };
  }

  #interim(status: number, headers: HeaderList): void {
    if (!this.#headWritten && !this.#over) this.#handled.sendInterim({ status, reason: '', lines: undefined, headers });
  }

  #refuseAfterHead(verb: string): void {
    if (!this.#headWritten) return;
    throw Object.assign(new Error(`Cannot ${verb} headers after they are sent to the client`), {
      code: 'ERR_HTTP_HEADERS_SENT',
    });
  }
}

const noBytes = Buffer.alloc(0);
const headWrittenMark = 'HTTP/1.1';

/** Methods that middleware replaces to see a response. */
const replaced = ['writeHead', 'write', 'end', 'setHeader', 'flushHeaders'];

function mayHaveBody(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 304;
}

function bytesOf(chunk: unknown, encoding: unknown): Buffer {
  if (typeof chunk === 'string')
    return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
  if (Buffer.isBuffer(chunk)) return chunk;
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw Object.assign(new TypeError('a response takes strings and Uint8Arrays'), { code: 'ERR_INVALID_ARG_TYPE' });
}
