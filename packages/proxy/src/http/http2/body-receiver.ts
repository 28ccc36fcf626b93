import { type Fault, faults } from './faults.ts';
import { defaultWindowBytes } from './frames.ts';
import { ReceiveWindow } from './receive-window.ts';
import type { Sender } from './sender.ts';
import type { SessionOptions } from './session-options.ts';
import type { Http2Stream } from './stream.ts';

/** What the receiver of bodies needs of its session. */
export interface BodyHost {
  readonly sender: Sender;
  /** The open stream; else the fault of DATA on it, or `ignored`. */
  dataTarget(stream: number): Http2Stream | Fault | 'ignored';
  fault(fault: Fault): void;
  streamFault(stream: Http2Stream, fault: Fault): void;
  /** A frame without worth. Returns `false` where the connection failed by it. */
  charge(): boolean;
  bodyData(stream: Http2Stream, bytes: Buffer, from: number, to: number): void;
  remoteEnd(stream: Http2Stream, trailers: undefined): void;
}

/** DATA that comes, its flow control (RFC 9113, sections 5.2 and 6.9) and its length (section 8.1.1). */
export class BodyReceiver {
  readonly #host: BodyHost;
  readonly #streamWindowBytes: number;
  readonly #window: ReceiveWindow;
  #settingsAcknowledged = false;
  /** The stream of the DATA frame that is being read; `undefined` where its data is dropped. */
  #current: Http2Stream | undefined = undefined;
  #endsStream = false;

  constructor(host: BodyHost, options: SessionOptions) {
    this.#host = host;
    this.#streamWindowBytes = options.streamWindowBytes;
    this.#window = new ReceiveWindow(options.connectionWindowBytes);
  }

  /** The peer has acknowledged the initial window of its streams (RFC 9113, section 6.9.2). */
  settingsAcknowledged(streams: Iterable<Http2Stream>): void {
    this.#settingsAcknowledged = true;
    const tooMuch = defaultWindowBytes - this.#streamWindowBytes;
    if (tooMuch <= 0) return;
    for (const stream of streams) if (stream.receiveWindow !== undefined) stream.receiveWindow.available -= tooMuch;
  }

  beginFrame(id: number, endStream: boolean, length: number, padded: number): void {
    const host = this.#host;
    this.#current = undefined;
    if (!this.#window.take(length)) {
      host.fault(faults.windowExceeded);
      return;
    }
    const stream = host.dataTarget(id);
    if (stream === 'ignored') {
      this.#releaseConnection(length);
      return;
    }
    if ('scope' in stream) {
      host.fault(stream);
      return;
    }
    const fault = this.#validate(stream, length, length - padded);
    if (fault !== undefined) {
      this.#releaseConnection(length);
      host.streamFault(stream, fault);
      return;
    }
    if (length === padded && !endStream && !host.charge()) return;
    this.#current = stream;
    this.#endsStream = endStream;
    stream.unconsumedBytes += length;
    if (padded > 0) this.release(stream, padded);
  }

  piece(bytes: Buffer, from: number, to: number): void {
    const stream = this.#current;
    if (stream !== undefined && !stream.closed) this.#host.bodyData(stream, bytes, from, to);
  }

  endFrame(): void {
    const stream = this.#current;
    this.#current = undefined;
    if (stream !== undefined && !stream.closed && this.#endsStream) this.#host.remoteEnd(stream, undefined);
  }

  /** Gives windows back for consumed bytes. */
  release(stream: Http2Stream, bytes: number): void {
    const released = Math.min(bytes, stream.unconsumedBytes);
    stream.unconsumedBytes -= released;
    this.#releaseConnection(released);
    // Nothing more comes on a stream that the peer has ended, perhaps with the frame that is being read.
    if (stream.remoteEnded || stream.closed || (stream === this.#current && this.#endsStream)) return;
    const increment = stream.receiveWindow?.release(released) ?? 0;
    if (increment > 0) this.#host.sender.output.windowUpdate(stream.id, increment);
  }

  #releaseConnection(bytes: number): void {
    const increment = this.#window.release(bytes);
    if (increment > 0) this.#host.sender.output.windowUpdate(0, increment);
  }

  #validate(stream: Http2Stream, length: number, payload: number): Fault | undefined {
    if (stream.remoteEnded) return faults.halfClosedStream;
    if (!stream.headReceived) return faults.dataBeforeHead;
    stream.receiveWindow ??= this.#streamWindow();
    if (!stream.receiveWindow.take(length)) return faults.streamWindowExceeded;
    stream.receivedBytes += payload;
    if (stream.expectedBytes !== -1 && stream.receivedBytes > stream.expectedBytes) return faults.bodyLength;
    return undefined;
  }

  /** Until the peer acknowledges this side's setting it uses the initial one. */
  #streamWindow(): ReceiveWindow {
    const size = this.#streamWindowBytes;
    return new ReceiveWindow(size, this.#settingsAcknowledged ? size : Math.max(size, defaultWindowBytes));
  }
}
