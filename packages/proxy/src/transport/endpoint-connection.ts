import { connect, isIP, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import type { Endpoint } from '../model/endpoint.ts';
import type { DeadlineSweep, Timed } from './deadline-sweep.ts';
import { type ResponseConsumer, ResponseReader } from './response-reader.ts';

/** Takes the answer of one exchange, and hears what becomes of its connection. */
export interface ResponseReceiver extends ResponseConsumer {
  /** The connection was closed, reset, or sent what cannot be read, before the answer was complete. */
  onBroken(cause: ConnectionFault): void;
  /** The connection takes more of the request's body. */
  onWritable(): void;
  onConnected(): void;
  /** The endpoint has the whole request and has said nothing for a while. It may be slow, or gone. */
  onSilence(): void;
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
  onFinished(connection: EndpointConnection, reusable: boolean): void;
  onClosed(connection: EndpointConnection): void;
  /** Connected, and encrypted where that is asked for, after this many milliseconds. */
  onOpened(tookMs: number): void;
}

const readBufferBytes = 65_536;
/** Silence for so long, in milliseconds, is told while it lasts; then again after twice as long. */
const tellingSilenceMs = 1_000;

type Stage = 'idle' | 'exchange' | 'closed';

/** One connection to an endpoint: writes requests, reads answers strictly, one exchange at a time. */
export class EndpointConnection implements Timed {
  readonly endpoint: Endpoint;
  readonly socket: Socket;
  deadlineMs: number;
  connected = false;
  /** Exchanges that it has completed. */
  served = 0;
  /** When it became idle, in the sweep's milliseconds. */
  idleSinceMs = 0;
  readonly #owner: ConnectionOwner;
  #stage: Stage = 'idle';
  #receiver: ResponseReceiver | undefined;
  readonly #reader = new ResponseReader();
  #silenceMs = 0;
  /** When silence ends the exchange: `deadlineMs`, unless the silence is to be told before. */
  #overMs = Number.POSITIVE_INFINITY;
  #toldMs = tellingSilenceMs;
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
    return this.#reader.answering;
  }

  /** How long the endpoint said that it keeps an idle connection, or `Infinity`. */
  get promisedIdleMs(): number {
    return this.#reader.promisedIdleMs;
  }

  /** Trailer lines of a chunked answer that is complete. */
  get trailers(): string {
    return this.#reader.trailers;
  }

  /**
   * Begins an exchange. `text` is the request head and what is there of its body, as latin1.
   * @param silenceMs How long the endpoint may stay silent, before the head and between pieces.
   */
  send(text: string, method: string, requestDone: boolean, silenceMs: number, receiver: ResponseReceiver): void {
    this.#receiver = receiver;
    this.#reader.begin(method, receiver);
    this.#silenceMs = silenceMs;
    this.#stage = 'exchange';
    this.#requestDone = requestDone;
    if (this.connected) this.#expectHead();
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
    if (this.#stage === 'exchange') this.#expectBytes();
    this.socket.resume();
  }

  /** Leaves the exchange and closes: the receiver hears nothing more. */
  abandon(): void {
    this.#receiver = undefined;
    this.#reader.leave();
    this.socket.destroy();
  }

  onDeadline(): void {
    if (this.#stage === 'idle' || this.#stage === 'closed') this.socket.destroy();
    else if (this.connected && this.deadlineMs < this.#overMs) this.#tellSilence();
    else this.#break(this.connected ? { kind: 'silent' } : { kind: 'connect-timeout' });
  }

  #expectBytes(): void {
    this.deadlineMs = this.#overMs = this.#owner.sweep.in(this.#silenceMs);
  }

  #expectHead(): void {
    this.#expectBytes();
    if (!this.#requestDone) return;
    this.#toldMs = Math.min(tellingSilenceMs, this.#silenceMs / 4);
    this.deadlineMs = this.#owner.sweep.in(this.#toldMs);
  }

  #tellSilence(): void {
    this.deadlineMs = Math.min(this.#overMs, this.#owner.sweep.in(this.#toldMs));
    this.#toldMs *= 2;
    this.#receiver?.onSilence();
  }

  #onConnected(): void {
    this.connected = true;
    if (this.#stage === 'exchange') this.#expectHead();
    this.#receiver?.onConnected();
  }

  #onBytes(buffer: Buffer, length: number): void {
    if (this.#stage !== 'exchange') {
      // Bytes that nobody asked for: whoever reads this connection next would take them for an answer.
      this.socket.destroy();
      return;
    }
    this.#expectBytes();
    const outcome = this.#reader.read(buffer, length);
    if (this.#reader.inUse) this.#swapBuffer = true;
    // Whoever took a part may have left meanwhile.
    if (outcome === 'more' || this.#receiver === undefined) return;
    if (outcome === 'complete') this.#finish();
    else this.#break({ kind: 'invalid', cause: outcome.cause });
  }

  #finish(): void {
    this.#receiver = undefined;
    this.#reader.leave();
    this.served++;
    // An endpoint that answers before it has the whole request still waits for the rest: a request sent on this
    // connection would be read as that rest, which is how requests are smuggled.
    const reusable = this.#reader.persistent && this.#requestDone && !this.socket.destroyed;
    this.#stage = reusable ? 'idle' : 'closed';
    this.#owner.onFinished(this, reusable);
  }

  #onEnd(): void {
    if (this.#stage === 'exchange' && this.#reader.readEnd()) {
      if (this.#receiver !== undefined) this.#finish();
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
    this.#reader.leave();
    this.#stage = 'closed';
    this.socket.destroy();
    receiver?.onBroken(fault);
  }
}
