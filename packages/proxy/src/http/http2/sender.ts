import { FrameOutput, writeFrameHeader } from './frame-output.ts';
import { defaultFrameBytes, defaultWindowBytes, Flag, Frame, frameHeaderBytes, most31Bits } from './frames.ts';
import { HpackEncoder, writeStatus } from './hpack/encoder.ts';
import type { SessionEvents } from './session-events.ts';
import type { SessionOptions } from './session-options.ts';
import type { Http2Stream, Queued, StreamHost } from './stream.ts';

type OutputBounds = Pick<SessionOptions, 'maxOutputBytes' | 'isSlow'>;

/** The sending half of a connection: HPACK, the peer's limits, and DATA under flow control (RFC 9113, section 5.2). */
export class Sender {
  readonly output: FrameOutput;
  readonly encoder = new HpackEncoder();
  /** The connection's window. */
  window = defaultWindowBytes;
  /** The peer's SETTINGS_INITIAL_WINDOW_SIZE. */
  initialStreamWindow = defaultWindowBytes;
  /** The peer's SETTINGS_MAX_FRAME_SIZE; larger frames than 16,384 are not used before 64 KB, which is the most. */
  maxFrameBytes = defaultFrameBytes;
  /** DATA frames that were sent. */
  dataFrames = 0;
  readonly #maxOutputBytes: number;
  readonly #isSlow: () => boolean;
  #paused = false;
  /** Streams that wait for window or for room in the output, longest waiting first. */
  #blocked: Http2Stream[] = noStreams;
  readonly #events: SessionEvents;
  readonly #host: StreamHost;

  constructor(events: SessionEvents, host: StreamHost, { maxOutputBytes, isSlow }: OutputBounds) {
    this.#maxOutputBytes = maxOutputBytes;
    this.#isSlow = isSlow;
    this.#events = events;
    this.#host = host;
    this.output = new FrameOutput(events);
  }

  /**
   * Encodes the fields and sends HEADERS, with CONTINUATION where they need it.
   * @param status 0: none
   * @param pseudo other pseudo-header fields, flat, which come first
   */
  fieldBlock(
    stream: number,
    status: number,
    flat: readonly string[],
    section: 'head' | 'trailers',
    endStream: boolean,
    pseudo?: readonly string[],
  ): boolean {
    const { encoder, output } = this;
    const needed = encoder.prepare(flat, section, pseudo);
    if (needed === -1) return false;
    const flags = endStream ? Flag.endStream : 0;
    if (needed > defaultFrameBytes) {
      this.#largeBlock(stream, status, needed, flags);
      return true;
    }
    const target = output.reserve(frameHeaderBytes + needed);
    const start = output.at;
    const block = start + frameHeaderBytes;
    const end = this.#encode(target, block, status);
    writeFrameHeader(target, start, end - block, Frame.headers, flags | Flag.endHeaders, stream);
    output.commit(end);
    return true;
  }

  /** Whether all fields may be sent as trailers. */
  isSendable(flat: readonly string[]): boolean {
    return this.encoder.prepare(flat, 'trailers') !== -1;
  }

  /**
   * Keeps no reference to `bytes`. Returns `false` where bytes, or the end, were queued, or the output is full. Where the
   * peer is slow, too, they wait in their stream: streams then take turns, and what the peer sends is read on.
   */
  sendData(stream: Http2Stream, bytes: Uint8Array, from: number, to: number, endStream: boolean): boolean {
    const length = to - from;
    if (length === 0 && !endStream) return stream.queue === undefined;
    if (stream.queue === undefined && !this.#paused) {
      const isAllowed = length <= stream.sendWindow && length <= this.window && length <= this.maxFrameBytes;
      if (isAllowed && !this.#isHeld) {
        this.#dataFrame(stream, bytes, from, to, endStream);
        return this.#mayGoOn(stream, endStream);
      }
      // No window is needed for an empty frame (RFC 9113, section 6.9).
      if (length === 0) {
        this.#dataFrame(stream, bytes, from, to, endStream);
        return true;
      }
    }
    const queued = { bytes, from, to, endStream, trailers: undefined };
    if (stream.queue === undefined) stream.queue = [queued];
    else stream.queue.push(queued);
    this.#advance(stream, Number.POSITIVE_INFINITY);
    if (stream.queue === undefined) return this.#mayGoOn(stream, endStream);
    keepLast(stream.queue);
    this.#block(stream);
    return false;
  }

  /** Adds to the connection's window. Returns `false` over 2^31-1. */
  grow(increment: number): boolean {
    this.window += increment;
    if (this.window > most31Bits) return false;
    this.flush();
    return true;
  }

  /** Adds to a stream's window. Returns `false` over 2^31-1. */
  growStream(stream: Http2Stream, increment: number): boolean {
    stream.sendWindow += increment;
    if (stream.sendWindow > most31Bits) return false;
    if (stream.queue !== undefined) this.#flushStream(stream);
    return true;
  }

  /** The connection's writer is full: DATA is queued until `resume`. Other frames still go to the output. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.flush();
  }

  /** Sends what windows and the output allow: a frame of each stream in turn, the next time from where it stops. */
  flush(): void {
    const blocked = this.#blocked;
    for (let held = 0; held < blocked.length && !this.#paused && !this.#isFull; ) {
      const stream = blocked.shift() as Http2Stream;
      const advanced = stream.queue === undefined || this.#advance(stream, 1);
      held = advanced ? 0 : held + 1;
      if (stream.queue !== undefined) blocked.push(stream);
      else this.#goOn(stream);
    }
  }

  /** Streams that wait. */
  get waitingStreams(): number {
    return this.#blocked.length;
  }

  /** Forgets what a closed stream has queued. */
  drop(stream: Http2Stream): void {
    stream.queue = undefined;
    this.#unblock(stream);
  }

  #unblock(stream: Http2Stream): void {
    const at = this.#blocked.indexOf(stream);
    if (at !== -1) this.#blocked.splice(at, 1);
  }

  #flushStream(stream: Http2Stream): void {
    if (this.#isFull) return;
    this.#advance(stream, Number.POSITIVE_INFINITY);
    if (stream.queue !== undefined) return;
    this.#unblock(stream);
    this.#goOn(stream);
  }

  /** Nothing of the stream waits any more. */
  #goOn(stream: Http2Stream): void {
    const { awaitsWindow } = stream;
    stream.awaitsWindow = false;
    if (stream.localEnded) this.#host.onLocalEnd(stream);
    else if (awaitsWindow) this.#events.onWindow(stream);
  }

  /** Sends at most `frames` frames from a stream's queue, while the output takes them. Returns whether it sent any. */
  #advance(stream: Http2Stream, frames: number): boolean {
    const queue = stream.queue as Queued[];
    let sent = 0;
    let done = 0;
    while (done < queue.length && sent < frames && !this.#paused && !this.#isHeld) {
      const next = queue[done] as Queued;
      if (next.trailers !== undefined) {
        this.fieldBlock(stream.id, 0, next.trailers, 'trailers', true);
        done++;
        sent++;
        continue;
      }
      const length = next.to - next.from;
      // No window is needed for an empty frame (RFC 9113, section 6.9); that of the stream may be below zero (6.9.2).
      const allowed = length === 0 ? 0 : Math.min(length, stream.sendWindow, this.window, this.maxFrameBytes);
      if (allowed <= 0 && length > 0) break;
      const to = next.from + allowed;
      this.#dataFrame(stream, next.bytes, next.from, to, next.endStream && to === next.to);
      next.from = to;
      if (to === next.to) done++;
      sent++;
    }
    if (done === queue.length) stream.queue = undefined;
    else if (done > 0) queue.splice(0, done);
    return sent > 0;
  }

  /** See `SessionOptions.maxOutputBytes`. */
  get #isFull(): boolean {
    return this.output.pendingBytes >= this.#maxOutputBytes;
  }

  /** See `SessionOptions.isSlow`: what is given to a peer that takes all at once is copied once. */
  get #isHeld(): boolean {
    return this.#isFull && (this.output.pendingBytes >= mostBurst * this.#maxOutputBytes || this.#isSlow());
  }

  /** The stream's bytes are in the output. Returns whether it may send more now. */
  #mayGoOn(stream: Http2Stream, endStream: boolean): boolean {
    if (endStream || !this.#isFull) return true;
    this.#block(stream);
    return false;
  }

  #block(stream: Http2Stream): void {
    if (this.#blocked === noStreams) this.#blocked = [];
    if (!this.#blocked.includes(stream)) this.#blocked.push(stream);
  }

  #dataFrame(stream: Http2Stream, bytes: Uint8Array, from: number, to: number, endStream: boolean): void {
    const { output } = this;
    const length = to - from;
    const flags = endStream ? Flag.endStream : 0;
    stream.sendWindow -= length;
    stream.sentBytes += length;
    this.window -= length;
    this.dataFrames++;
    output.header(length, Frame.data, flags, stream.id);
    // By reference it would cost more: the reader of the bytes needs a new buffer, and the write one chunk more.
    output.copy(bytes, from, to);
    stream.sentTo = output.endBytes;
  }

  #encode(target: Buffer, start: number, status: number): number {
    let at = this.encoder.writeSizeUpdate(target, start);
    if (status !== 0) at = writeStatus(target, at, status);
    return this.encoder.write(target, at);
  }

  /** A block that may not fit into one frame (RFC 9113, section 4.3). */
  #largeBlock(stream: number, status: number, needed: number, flags: number): void {
    const block = Buffer.allocUnsafeSlow(needed);
    const length = this.#encode(block, 0, status);
    let type: number = Frame.headers;
    let at = 0;
    do {
      const to = Math.min(length, at + defaultFrameBytes);
      const own = (type === Frame.headers ? flags : 0) | (to === length ? Flag.endHeaders : 0);
      this.output.header(to - at, type, own, stream);
      this.output.copy(block, at, to);
      type = Frame.continuation;
      at = to;
    } while (at < length);
  }
}

/** What waits is copied: its bytes are the caller's, who reads into their buffer again. */
function keepLast(queue: Queued[]): void {
  const { bytes, from, to, endStream, trailers } = queue[queue.length - 1] as Queued;
  const kept = Buffer.allocUnsafeSlow(to - from);
  kept.set(bytes.subarray(from, to));
  queue[queue.length - 1] = { bytes: kept, from: 0, to: kept.length, endStream, trailers };
}

const noStreams: Http2Stream[] = [];

/** Of `maxOutputBytes`: beyond it bodies wait in their streams in any case. */
const mostBurst = 4;
