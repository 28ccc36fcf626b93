import type { ReceiveWindow } from './receive-window.ts';

/** Bytes, or the trailers, that wait for window. */
export interface Queued {
  readonly bytes: Uint8Array;
  from: number;
  readonly to: number;
  readonly endStream: boolean;
  readonly trailers: readonly string[] | undefined;
}

/** What a stream uses of the sending half of its connection. */
export interface StreamSender {
  readonly initialStreamWindow: number;
  readonly output: { readonly writtenBytes: number };
  readonly waitingStreams: number;
  fieldBlock(
    stream: number,
    status: number,
    flat: readonly string[],
    section: 'head' | 'trailers',
    endStream: boolean,
    pseudo?: readonly string[],
  ): boolean;
  isSendable(flat: readonly string[]): boolean;
  sendData(stream: Http2Stream, bytes: Uint8Array, from: number, to: number, endStream: boolean): boolean;
}

/** What a stream uses of its session. */
export interface StreamHost {
  readonly sender: StreamSender;
  /** END_STREAM was sent. */
  onLocalEnd(stream: Http2Stream): void;
  resetStream(stream: Http2Stream, errorCode: number): void;
  releaseData(stream: Http2Stream, bytes: number): void;
}

/**
 * One exchange on a connection (RFC 9113, section 5.1), the same for both roles. Methods on a stream that is closed do
 * nothing: what an endpoint still sends after the client's reset needs no check by the caller.
 */
export class Http2Stream {
  readonly id: number;
  /** For the owner of the exchange: the session never reads it. */
  context: unknown = undefined;
  /** Bytes that may be sent on this stream. Negative after the peer lowered its initial window (section 6.9.2). */
  sendWindow: number;
  /** The peer sent END_STREAM. */
  remoteEnded = false;
  /** END_STREAM was sent, or waits behind queued bytes. */
  localEnded = false;
  /** END_STREAM was sent. */
  endSent = false;
  /** The final head was sent. */
  headSent = false;
  /** The head came: a client's, of the final response. */
  headReceived = false;
  /** Both sides ended, or the stream was reset. */
  closed = false;
  /** Client: the request was HEAD, so `content-length` does not describe the body. */
  isHead = false;
  /** Server: the request was CONNECT, extended or not. */
  isTunnel = false;
  /** Body bytes that the head announced, or -1. */
  expectedBytes = -1;
  receivedBytes = 0;
  sentBytes = 0;
  /** Where the last DATA ends in the output, in bytes of the connection. */
  sentTo = 0;
  /** Set with the first DATA. */
  receiveWindow: ReceiveWindow | undefined = undefined;
  /** Received and not yet consumed. */
  unconsumedBytes = 0;
  /** What waits for window, oldest first. */
  queue: Queued[] | undefined = undefined;
  /** `sendData` returned `false` and `onWindow` has not been called since. */
  awaitsWindow = false;
  readonly #host: StreamHost;

  constructor(id: number, host: StreamHost) {
    this.id = id;
    this.#host = host;
    this.sendWindow = host.sender.initialStreamWindow;
  }

  /**
   * How many streams, this one included, wait for what all of them share: room in the output, the connection's window, or
   * the client to take what is in front of it. 0 where this one waits for its own window alone, or for nothing.
   */
  get rivals(): number {
    const { output, waitingStreams } = this.#host.sender;
    if (!this.awaitsWindow) return 0;
    return this.sendWindow > 0 || this.sentTo > output.writtenBytes - mostOnItsWayBytes ? waitingStreams : 0;
  }

  /** Bytes that `sendData` took and that wait for window. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const each of this.queue ?? []) bytes += each.to - each.from;
    return bytes;
  }

  /**
   * Server: sends the final head. `flat` is name, value, name, value; upper case in names is lowered. The caller has
   * removed connection-specific fields.
   * @returns `false` where nothing was sent, because a name or value may not be sent or a head was sent before.
   */
  sendHead(status: number, flat: readonly string[], endStream: boolean): boolean {
    if (this.closed || this.localEnded || this.headSent) return this.closed;
    if (!this.#host.sender.fieldBlock(this.id, status, flat, 'head', endStream)) return false;
    this.headSent = true;
    if (endStream) this.#end();
    return true;
  }

  /** Server: sends an interim head (100, 103; RFC 9110, section 15.2). Returns as `sendHead`. */
  sendInterim(status: number, flat: readonly string[]): boolean {
    if (this.closed || this.localEnded || this.headSent) return this.closed;
    return this.#host.sender.fieldBlock(this.id, status, flat, 'head', false);
  }

  /**
   * Sends body bytes, or queues those that exceed the peer's window: all are taken, as copies.
   * @returns `false` where some were queued, or much output waits to be written: send no more until `onWindow`.
   */
  sendData(bytes: Uint8Array, from: number, to: number, endStream: boolean): boolean {
    if (this.closed || this.localEnded) return true;
    const { sender } = this.#host;
    if (endStream) this.localEnded = true;
    if (!sender.sendData(this, bytes, from, to, endStream)) {
      this.awaitsWindow = true;
      return false;
    }
    if (endStream) this.#host.onLocalEnd(this);
    return true;
  }

  /** Sends a trailer section, which ends the stream, behind the bytes that are queued. Returns as `sendHead`. */
  sendTrailers(flat: readonly string[]): boolean {
    if (this.closed || this.localEnded) return this.closed;
    const { sender } = this.#host;
    if (this.queue !== undefined) {
      if (!sender.isSendable(flat)) return false;
      this.localEnded = true;
      this.queue.push({ bytes: noBytes, from: 0, to: 0, endStream: true, trailers: flat });
      return true;
    }
    if (!sender.fieldBlock(this.id, 0, flat, 'trailers', true)) return false;
    this.#end();
    return true;
  }

  /** Resets the stream with one of `ErrorCode`. What is queued is dropped. */
  reset(errorCode: number): void {
    if (!this.closed) this.#host.resetStream(this, errorCode);
  }

  /** Call when bytes of `onData` were passed on: the peer may send as many again. */
  consumed(bytes: number): void {
    if (!this.closed) this.#host.releaseData(this, bytes);
  }

  #end(): void {
    this.localEnded = true;
    this.#host.onLocalEnd(this);
  }
}

const noBytes = new Uint8Array(0);
/** Of what has been written, a slow client's peer may still have so much in the buffers of both systems. */
const mostOnItsWayBytes = 8_388_608;
