import { connect, isIP, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import type { Endpoint } from '../endpoint.ts';
import { ChunkedReader } from './body-framing.ts';
import type { DeadlineSweep, Timed } from './deadline-sweep.ts';
import { type BodyFraming, UpstreamHead } from './response-head.ts';

/** What a connection tells of the answer it is reading. Places are in `bytes` and hold only during the call. */
export interface AnswerReceiver {
  /** Wants body bytes without chunk framing. */
  readonly wantsPayload: boolean;
  /** A 1xx other than 101. */
  onInterim(head: UpstreamHead, bytes: Buffer): void;
  /** The head, and the body's first bytes that came with it. Answers `true` if `bytes` are still in use afterwards. */
  onHead(head: UpstreamHead, bytes: Buffer, framing: BodyFraming, from: number, to: number, complete: boolean): boolean;
  /** `held` stands before the bytes. Answers `true` if `bytes` are still in use afterwards. */
  onBody(bytes: Buffer, from: number, to: number, complete: boolean, held: string): boolean;
  /** The connection was closed, reset, or sent what cannot be read, before the answer was complete. */
  onBroken(cause: ConnectionFault): void;
  /** The connection takes more of the request's body. */
  onWritable(): void;
  onConnected(): void;
}

export type ConnectionFault =
  | { readonly kind: 'refused'; readonly error: Error | undefined }
  | { readonly kind: 'connect-timeout' }
  | { readonly kind: 'closed'; readonly error: Error | undefined }
  | { readonly kind: 'silent' }
  | { readonly kind: 'invalid'; readonly cause: string };

export interface ConnectionOwner {
  readonly sweep: DeadlineSweep;
  /** The answer is complete. `reusable`: both sides agree on where the next one begins. */
  onFinished(connection: UpstreamConnection, reusable: boolean): void;
  onClosed(connection: UpstreamConnection): void;
  /** Connected, and encrypted where that is asked for, after this many milliseconds. */
  onOpened(tookMs: number): void;
}

const readBufferBytes = 65_536;
// One head is parsed at a time, and wholly used before the next.
const head = new UpstreamHead();

type Stage = 'idle' | 'head' | 'body' | 'finished' | 'closed';

/** One connection to an endpoint: writes requests, reads answers strictly, one exchange at a time. */
export class UpstreamConnection implements Timed {
  readonly endpoint: Endpoint;
  readonly socket: Socket;
  deadlineMs: number;
  connected = false;
  /** Exchanges that it has completed. */
  served = 0;
  /** When it became idle, in the sweep's milliseconds. */
  idleSinceMs = 0;
  /** How long the endpoint said that it keeps an idle connection, or `Infinity`. */
  promisedIdleMs = Number.POSITIVE_INFINITY;
  readonly #owner: ConnectionOwner;
  #stage: Stage = 'idle';
  #receiver: AnswerReceiver | undefined;
  #method = '';
  #silenceMs = 0;
  #left = 0;
  #framing: BodyFraming = 'none';
  #chunks: ChunkedReader | undefined;
  #persistent = false;
  #pending: Buffer | undefined;
  #error: Error | undefined;
  #swapBuffer = true;
  #requestDone = true;

  constructor(endpoint: Endpoint, owner: ConnectionOwner, connectMs: number) {
    this.endpoint = endpoint;
    this.#owner = owner;
    this.deadlineMs = owner.sweep.in(connectMs);
    const onread = {
      // Asked before the first read and after each: `undefined` keeps the buffer. A new one is needed where a slow
      // client still has bytes of the old one to take: reading into it would corrupt them.
      buffer: (): Uint8Array => {
        if (!this.#swapBuffer) return undefined as unknown as Uint8Array;
        this.#swapBuffer = false;
        return Buffer.allocUnsafeSlow(readBufferBytes);
      },
      callback: (length: number, buffer: Uint8Array): boolean => {
        this.#onBytes(buffer as Buffer, length);
        return true;
      },
    };
    const { host, port } = endpoint;
    const beganMs = performance.now();
    const target = { host, port, onread, noDelay: true };
    // The label asks for TLS without verification: services in a Swarm have no names that a CA signs.
    const securely = { ...target, rejectUnauthorized: false, ...(isIP(host) === 0 ? { servername: host } : {}) };
    this.socket = endpoint.secure ? connectSecurely(securely) : connect(target);
    this.socket.on(endpoint.secure ? 'secureConnect' : 'connect', () => {
      owner.onOpened(performance.now() - beganMs);
      this.#onConnected();
    });
    this.socket.on('drain', () => this.#receiver?.onWritable());
    this.socket.on('end', () => this.#onEnd());
    this.socket.on('error', (error) => {
      this.#error = error;
    });
    this.socket.on('close', () => this.#onClose());
    owner.sweep.add(this);
  }

  get idle(): boolean {
    return this.#stage === 'idle' && !this.socket.destroyed;
  }

  /** Any byte of the answer has arrived. */
  get answering(): boolean {
    return this.#stage === 'body' || this.#pending !== undefined;
  }

  /**
   * Begins an exchange. `text` is the request head and what is there of its body, as latin1.
   * @param silenceMs How long the endpoint may stay silent, before the head and between pieces.
   */
  send(text: string, method: string, requestDone: boolean, silenceMs: number, receiver: AnswerReceiver): void {
    this.#receiver = receiver;
    this.#method = method;
    this.#silenceMs = silenceMs;
    this.#stage = 'head';
    this.#requestDone = requestDone;
    if (this.connected) this.#expectBytes();
    this.socket.write(text, 'latin1');
  }

  /** Answers `false` where the caller should wait for `onWritable`. */
  writeBody(piece: Buffer | string): boolean {
    this.#expectBytes();
    return typeof piece === 'string' ? this.socket.write(piece, 'latin1') : this.socket.write(piece);
  }

  endBody(): void {
    this.#requestDone = true;
  }

  pause(): void {
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.socket.pause();
  }

  resume(): void {
    if (this.#stage === 'head' || this.#stage === 'body') this.#expectBytes();
    this.socket.resume();
  }

  /** Leaves the exchange and closes: the receiver hears nothing more. */
  abandon(): void {
    this.#receiver = undefined;
    this.socket.destroy();
  }

  onDeadline(): void {
    if (this.#stage === 'idle' || this.#stage === 'closed') this.socket.destroy();
    else this.#break(this.connected ? { kind: 'silent' } : { kind: 'connect-timeout' });
  }

  #expectBytes(): void {
    this.deadlineMs = this.#owner.sweep.in(this.#silenceMs);
  }

  #onConnected(): void {
    this.connected = true;
    if (this.#stage === 'head') this.#expectBytes();
    this.#receiver?.onConnected();
  }

  #onBytes(buffer: Buffer, length: number): void {
    if (this.#stage === 'body') {
      this.#expectBytes();
      this.#onBodyBytes(buffer, 0, length, false);
      return;
    }
    if (this.#stage !== 'head') {
      // Bytes that nobody asked for: whoever reads this connection next would take them for an answer.
      this.socket.destroy();
      return;
    }
    if (this.#pending === undefined) this.#onHeadBytes(buffer, length);
    else {
      const bytes = Buffer.concat([this.#pending, buffer.subarray(0, length)]);
      this.#onHeadBytes(bytes, bytes.length);
    }
  }

  #onHeadBytes(bytes: Buffer, length: number): void {
    let at = 0;
    for (;;) {
      const outcome = at === length ? 'incomplete' : head.parse(bytes, at, length);
      if (outcome === 'incomplete') {
        // A copy: the bytes are the read buffer's. Interim heads that are done with are left out.
        this.#pending = at === length ? undefined : Buffer.from(bytes.subarray(at, length));
        this.#expectBytes();
        return;
      }
      if (outcome !== 'complete') {
        this.#break({ kind: 'invalid', cause: outcome.cause });
        return;
      }
      if (!head.interim) break;
      // Nobody asked for an upgrade here: this endpoint has changed protocol by itself.
      if (head.status === 101) {
        this.#break({ kind: 'invalid', cause: 'unasked-upgrade' });
        return;
      }
      this.#receiver?.onInterim(head, bytes);
      if (this.#receiver === undefined) return;
      at = head.end;
    }
    this.#pending = undefined;
    this.#begin(bytes, length);
  }

  #begin(bytes: Buffer, length: number): void {
    this.#stage = 'body';
    this.#framing = head.framingFor(this.#method);
    this.#persistent = head.persistent && this.#framing !== 'until-close';
    this.#left = this.#framing === 'length' ? head.contentLength : 0;
    this.#chunks = this.#framing === 'chunked' ? new ChunkedReader() : undefined;
    if (head.keepAlive !== -1) this.#readKeepAlive(bytes);
    this.#expectBytes();
    this.#onBodyBytes(bytes, head.end, length, true);
  }

  #readKeepAlive(bytes: Buffer): void {
    const value = bytes.toString(
      'latin1',
      head.fields.valueStart(head.keepAlive),
      head.fields.valueEnd(head.keepAlive),
    );
    const seconds = /timeout=(\d{1,6})/.exec(value)?.[1];
    if (seconds !== undefined) this.promisedIdleMs = Number(seconds) * 1000;
  }

  #onBodyBytes(bytes: Buffer, from: number, end: number, first: boolean): void {
    const receiver = this.#receiver;
    if (receiver === undefined) return;
    if (this.#chunks !== undefined) {
      this.#onChunks(this.#chunks, receiver, bytes, from, end, first);
      return;
    }
    let to = end;
    let complete = false;
    if (this.#framing === 'length') {
      to = Math.min(end, from + this.#left);
      this.#left -= to - from;
      complete = this.#left === 0;
    } else if (this.#framing === 'none') {
      to = from;
      complete = true;
    }
    // More than was announced is an answer to nothing: it must not be taken for the next one.
    if (complete && to < end) this.#persistent = false;
    if (complete) this.#stage = 'finished';
    if (first) this.#swapBuffer = receiver.onHead(head, bytes, this.#framing, from, to, complete) || this.#swapBuffer;
    else this.#swapBuffer = receiver.onBody(bytes, from, to, complete, '') || this.#swapBuffer;
    if (complete) this.#complete();
  }

  #onChunks(chunks: ChunkedReader, receiver: AnswerReceiver, bytes: Buffer, from: number, end: number, first: boolean) {
    if (receiver.wantsPayload) {
      if (first) receiver.onHead(head, bytes, 'chunked', from, from, false);
      let inUse = false;
      const refusal = chunks.read(bytes, from, end, (start, to) => {
        inUse = receiver.onBody(bytes, start, to, false, '') || inUse;
      });
      this.#swapBuffer ||= inUse;
      if (this.#receiver === undefined) return;
      if (refusal !== undefined) return this.#break({ kind: 'invalid', cause: refusal.cause });
      if (!chunks.done) return;
      if (chunks.consumed < end) this.#persistent = false;
      this.#stage = 'finished';
      receiver.onBody(bytes, end, end, true, '');
      this.#complete();
      return;
    }
    const refusal = chunks.read(bytes, from, end);
    if (refusal !== undefined) {
      // What came before the fault is not worth passing on: the answer is lost either way.
      return this.#break({ kind: 'invalid', cause: refusal.cause });
    }
    const complete = chunks.done;
    if (complete && chunks.consumed < end) this.#persistent = false;
    if (complete) this.#stage = 'finished';
    const inUse = first
      ? receiver.onHead(head, bytes, 'chunked', from, chunks.framedEnd, complete)
      : receiver.onBody(bytes, from, chunks.framedEnd, complete, chunks.held);
    this.#swapBuffer ||= inUse;
    if (complete) this.#complete();
  }

  /** Trailer lines of a chunked answer that is complete. */
  get trailers(): string {
    return this.#chunks?.trailers ?? '';
  }

  #complete(): void {
    if (this.#receiver === undefined) return;
    this.#finish();
  }

  #finish(): void {
    this.#receiver = undefined;
    this.served++;
    // An endpoint that answers before it has the whole request still waits for the rest: a request sent on this
    // connection would be read as that rest, which is how requests are smuggled.
    const reusable = this.#persistent && this.#requestDone && !this.socket.destroyed;
    this.#stage = reusable ? 'idle' : 'closed';
    this.#owner.onFinished(this, reusable);
  }

  #onEnd(): void {
    if (this.#stage === 'body' && this.#framing === 'until-close') {
      this.#stage = 'finished';
      this.#receiver?.onBody(Buffer.alloc(0), 0, 0, true, '');
      this.#complete();
      return;
    }
    this.socket.destroy();
  }

  #onClose(): void {
    this.#owner.sweep.remove(this);
    this.#break(this.connected ? { kind: 'closed', error: this.#error } : { kind: 'refused', error: this.#error });
    this.#stage = 'closed';
    this.#owner.onClosed(this);
  }

  #break(fault: ConnectionFault): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    this.#stage = 'closed';
    this.socket.destroy();
    receiver?.onBroken(fault);
  }
}
