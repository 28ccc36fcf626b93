import { BodyReceiver } from './body-receiver.ts';
import { type Fault, faults } from './faults.ts';
import { FrameDispatcher, type FrameEvents } from './frame-dispatcher.ts';
import { FrameReader } from './frame-reader.ts';
import { most31Bits } from './frames.ts';
import type { HeaderField } from './header-field.ts';
import { type DecodedFields, defaultTableBytes } from './hpack/decoder.ts';
import { validateTrailers } from './message-head.ts';
import { PeerBudgets } from './peer-budgets.ts';
import { ResetLog } from './reset-log.ts';
import { Sender } from './sender.ts';
import type { SessionEvents } from './session-events.ts';
import type { SessionOptions } from './session-options.ts';
import { initialPeerSettings, type PeerSettings } from './settings.ts';
import type { Http2Stream, StreamHost } from './stream.ts';
import { StreamTable } from './stream-table.ts';

/** The streams of a connection: their lives, their bodies, and what faults do to them. `Http2Session` is the API. */
export abstract class SessionCore implements StreamHost {
  readonly sender: Sender;
  /** What the peer announced. */
  readonly peer: PeerSettings;
  protected readonly options: SessionOptions;
  protected readonly reader: FrameReader;
  protected readonly dispatcher: FrameDispatcher;
  protected readonly bodies: BodyReceiver;
  protected readonly budgets: PeerBudgets;
  protected readonly resets: ResetLog;
  /** Allocated with the first stream. */
  protected streams: StreamTable | undefined = undefined;
  readonly #events: SessionEvents;
  #closed = false;

  constructor(role: 'server' | 'client', events: SessionEvents, options: SessionOptions) {
    this.#events = events;
    this.options = options;
    this.resets = new ResetLog(options.maxConcurrentStreams);
    this.peer = initialPeerSettings(role === 'client' ? options.initialStreams : most31Bits);
    this.sender = new Sender(events, this, options);
    this.dispatcher = new FrameDispatcher(this.frameEvents(), options);
    this.reader = new FrameReader(this.dispatcher);
    this.budgets = new PeerBudgets(options, this.sender);
    this.bodies = new BodyReceiver(this, options);
    if (options.headerTableBytes > defaultTableBytes) this.dispatcher.decoder.limitTable(options.headerTableBytes);
  }

  protected abstract frameEvents(): FrameEvents;
  protected abstract isIdle(stream: number): boolean;
  /** Frames on it are dropped: it is above the identifier that this side's GOAWAY gave. */
  protected abstract isIgnored(stream: number): boolean;
  /** The last stream of the peer that this side processed, for GOAWAY. */
  protected abstract readonly lastPeerStream: number;
  /** A stream was closed: the end of a drain. */
  protected abstract onStreamClosed(): void;

  /** Of the peer, since the connection began. */
  get framesRead(): number {
    return this.reader.framesRead;
  }

  get openStreams(): number {
    return this.streams?.size ?? 0;
  }

  /** The open streams, for a deadline sweep. */
  allStreams(): readonly Http2Stream[] {
    return this.streams?.list() ?? [];
  }

  /** The connection failed or was aborted. */
  get closed(): boolean {
    return this.#closed;
  }

  protected open(stream: Http2Stream): void {
    this.streams ??= new StreamTable();
    this.streams.add(stream);
    this.budgets.earned();
  }

  // What streams and the sender call.

  onLocalEnd(stream: Http2Stream): void {
    stream.endSent = true;
    if (stream.remoteEnded && !stream.closed) this.complete(stream);
  }

  resetStream(stream: Http2Stream, errorCode: number): void {
    this.rst(stream.id, errorCode);
    // The connection may have failed by it, and all streams with it.
    if (stream.closed) return;
    this.closeStream(stream);
    this.onStreamClosed();
  }

  releaseData(stream: Http2Stream, bytes: number): void {
    this.bodies.release(stream, bytes);
  }

  // What the receiver of bodies calls.

  dataTarget(id: number): Http2Stream | Fault | 'ignored' {
    const stream = this.streams?.get(id);
    if (stream !== undefined) return stream;
    if (this.isIgnored(id) || this.resets.has(id)) return 'ignored';
    return this.isIdle(id) ? faults.idleStream : faults.closedStream;
  }

  bodyData(stream: Http2Stream, bytes: Buffer, from: number, to: number): void {
    this.budgets.earned();
    this.#events.onData(stream, bytes, from, to);
  }

  /** The peer's message is complete. */
  remoteEnd(stream: Http2Stream, trailers: readonly HeaderField[] | undefined): void {
    if (stream.expectedBytes !== -1 && stream.receivedBytes !== stream.expectedBytes) {
      this.streamFault(stream, faults.bodyLength);
      return;
    }
    stream.remoteEnded = true;
    if (trailers !== undefined) this.#events.onTrailers(stream, trailers);
    if (!stream.closed) this.#events.onEnd(stream);
    if (!stream.closed && stream.endSent) this.complete(stream);
  }

  /** Trailers of an open stream (RFC 9113, section 8.1). */
  protected trailers(stream: Http2Stream, endStream: boolean, fields: DecodedFields): void {
    if (stream.remoteEnded) this.streamFault(stream, faults.halfClosedStream);
    else if (!endStream) this.streamFault(stream, faults.trailersWithoutEnd);
    else if (fields.exceeded) this.streamFault(stream, faults.headTooLarge);
    else {
      const trailers = validateTrailers(fields, this.options.maxFields);
      if (trailers === undefined) this.streamFault(stream, faults.malformed);
      else this.remoteEnd(stream, trailers);
    }
  }

  // Faults.

  /** A frame that carries no message. Returns `false` where the connection failed by it. */
  charge(): boolean {
    if (this.budgets.control()) return true;
    this.fault(faults.controlFlood);
    return false;
  }

  /** A frame that demands a response. Returns `false` where the connection failed by it. */
  protected chargeReply(): boolean {
    if (this.budgets.reply()) return true;
    this.fault(faults.unreadReplies);
    return false;
  }

  /** A stream of the peer that was spoiled. */
  protected chargeWasted(): void {
    if (!this.budgets.wasted()) this.fault(faults.wastedStreams);
  }

  /** Applies a violation that concerns no open stream: all of them end with the connection (RFC 9113, section 5.4.1). */
  fault(fault: Fault): void {
    if (this.#closed) return;
    this.stop();
    this.sender.output.goaway(this.lastPeerStream, fault.errorCode, fault.cause);
    this.resetAll(fault.errorCode, fault.cause);
    this.#events.onFault(fault);
  }

  /** RFC 9113, section 5.4.2. */
  streamFault(stream: Http2Stream, fault: Fault): void {
    const { errorCode, cause } = fault;
    this.rst(stream.id, errorCode);
    if (stream.closed) return;
    this.closeStream(stream);
    this.#events.onReset(stream, { errorCode, origin: 'local', cause, unprocessed: false });
    this.chargeWasted();
    this.onStreamClosed();
  }

  protected rst(stream: number, errorCode: number): void {
    if (this.#closed) return;
    this.sender.output.rstStream(stream, errorCode);
    this.resets.add(stream);
    this.chargeReply();
  }

  protected stop(): void {
    this.#closed = true;
    this.reader.stop();
  }

  protected resetAll(errorCode: number, cause: string, firstUnsent = Number.POSITIVE_INFINITY): void {
    for (const stream of this.allStreams()) this.endStream(stream, errorCode, cause, stream.id >= firstUnsent);
  }

  /** Ends a stream for a cause that lies in the connection. */
  protected endStream(stream: Http2Stream, errorCode: number, cause: string, unprocessed: boolean): void {
    if (stream.closed) return;
    this.closeStream(stream);
    this.#events.onReset(stream, { errorCode, origin: 'connection', cause, unprocessed });
    this.onStreamClosed();
  }

  /** Both sides have ended. */
  protected complete(stream: Http2Stream): void {
    this.budgets.completed();
    this.closeStream(stream);
    this.onStreamClosed();
  }

  /** Forgets a stream. The caller reports it, and then calls `onStreamClosed`. */
  protected closeStream(stream: Http2Stream): void {
    stream.closed = true;
    this.streams?.delete(stream.id);
    if (stream.queue !== undefined || stream.awaitsWindow) this.sender.drop(stream);
    // Unconsumed bytes of the closed stream are credited to the connection's window.
    if (stream.unconsumedBytes > 0 && !this.#closed) this.bodies.release(stream, stream.unconsumedBytes);
  }
}
