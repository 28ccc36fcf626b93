import { faults } from './faults.ts';
import type { FrameEvents } from './frame-dispatcher.ts';
import { type OutputBatch, releaseOutput } from './frame-output.ts';
import { defaultFrameBytes, defaultWindowBytes, ErrorCode } from './frames.ts';
import { type DecodedFields, defaultTableBytes } from './hpack/decoder.ts';
import { SessionCore } from './session-core.ts';
import type { SessionEvents } from './session-events.ts';
import type { SessionOptions } from './session-options.ts';
import { applySettings, lowestTableBytes, ownSettings } from './settings.ts';
import type { Http2Stream } from './stream.ts';

/**
 * One HTTP/2 connection (RFC 9113), without a socket and without a timer: bytes in, events out. `Http2ServerSession`
 * receives requests, `Http2ClientSession` sends them.
 *
 * **In.** The owner gives each read to `read(bytes, start, end)`. Frames are parsed in place: events get ranges of that
 * buffer, valid during the call. The events are those of `ServerEvents` or `ClientEvents`; they may call every method of
 * the session and of its streams.
 *
 * **Out.** Frames are gathered. `onOutput` is called when output comes to wait; the owner then schedules one
 * `takeOutput()` for the end of the tick, writes the chunks with one gathered write, and gives the batch to
 * `outputWritten` when that write is complete. While the socket is full the owner calls `pauseData()`, takes nothing, and
 * calls `resumeData()` afterwards: bodies then wait in their streams, each of which returns `false` from `sendData`.
 *
 * **Bodies.** `stream.sendData` takes all it is given and returns `false` where the peer's window, `pauseData` or a
 * full output made some of it wait; `onWindow` follows. The bytes are copied, so their buffer may be used again at once. Received bytes
 * count against the windows until the owner gives them to `stream.consumed`.
 *
 * **Errors.** A violation that costs one stream is reported by `onReset`, with origin `local`. One that costs the
 * connection calls `onReset` for each open stream and then `onFault`; GOAWAY is in the output. After it, and after
 * `abort`, the session ignores everything.
 *
 * **Limits.** `SessionOptions` bounds heads, streams, windows and work without worth (RFC 9113, section 10.5). What needs
 * a timer is left to the owner: an unfinished preface or frame (`midFrame`), SETTINGS without acknowledgement
 * (`settingsAcknowledged`), streams whose `queuedBytes` do not shrink, and streams that never end.
 *
 * **Drain.** `drain()` announces the end: a server's peer opens new streams elsewhere, a client's `capacity` is 0.
 * `onDrained` follows the last stream.
 */
export abstract class Http2Session extends SessionCore implements FrameEvents {
  /** `drain` was called, or a client's peer sent GOAWAY. */
  protected draining = false;
  readonly #role: 'server' | 'client';
  readonly #events: SessionEvents;
  #settingsAcknowledged = false;
  #drained = false;

  constructor(role: 'server' | 'client', events: SessionEvents, options: SessionOptions) {
    super(role, events, options);
    this.#role = role;
    this.#events = events;
  }

  /** Parses what was read. */
  read(bytes: Buffer, start: number, end: number): void {
    if (!this.closed) this.reader.read(bytes, start, end);
  }

  /**
   * What is to be written, or `undefined`.
   * @param mostChunks of those that are full: to write one after the other, for TLS, which joins those of one write
   */
  takeOutput(mostChunks = Number.POSITIVE_INFINITY): OutputBatch | undefined {
    this.budgets.repliesTaken();
    return this.sender.output.take(mostChunks);
  }

  /** The write of a batch is complete. */
  outputWritten(batch: OutputBatch): void {
    this.sender.output.writtenBytes = batch.endBytes;
    releaseOutput(batch);
  }

  get pendingOutputBytes(): number {
    return this.sender.output.pendingBytes;
  }

  pauseData(): void {
    this.sender.pause();
  }

  resumeData(): void {
    if (!this.closed) this.sender.resume();
  }

  /** The last read ended within a frame or field block. */
  get midFrame(): boolean {
    return this.reader.midFrame || this.dispatcher.midBlock;
  }

  /** The peer acknowledged this side's SETTINGS. */
  get settingsAcknowledged(): boolean {
    return this.#settingsAcknowledged;
  }

  /** Sends a PING with these 8 bytes. `onPong` gets them back. */
  ping(payload: Uint8Array): void {
    if (!this.closed) this.sender.output.ping(false, payload, 0);
  }

  /** Ends the connection with an error of this side, as SETTINGS_TIMEOUT at a deadline. */
  fail(errorCode: number, cause: string): void {
    this.fault({ scope: 'connection', errorCode, cause });
  }

  /** The transport is gone: resets all streams, and sends nothing. */
  abort(): void {
    if (this.closed) return;
    this.stop();
    this.resetAll(ErrorCode.cancel, 'closed', this.firstUnsent);
  }

  /** Streams from this one on are unprocessed where the transport is gone: nothing of them has left. */
  protected get firstUnsent(): number {
    return Number.POSITIVE_INFINITY;
  }

  protected start(): void {
    const { output } = this.sender;
    output.settings(ownSettings(this.options, this.#role));
    const more = this.options.connectionWindowBytes - defaultWindowBytes;
    if (more > 0) output.windowUpdate(0, more);
  }

  protected onStreamClosed(): void {
    if (this.draining) this.settleDrain();
  }

  /** Reports the end of a drain. */
  protected settleDrain(): void {
    if (this.#drained || this.closed || this.openStreams > 0 || !this.mayEnd) return;
    this.#drained = true;
    this.#events.onDrained();
  }

  protected frameEvents(): FrameEvents {
    return this;
  }

  // What differs between the roles.

  abstract headersFrame(stream: number, endStream: boolean, fields: DecodedFields): void;
  abstract goawayFrame(lastStream: number, errorCode: number, debug: string): void;
  /** A response to PING. */
  protected abstract pong(payload: Buffer): void;
  /** The peer reset a stream. Returns `false` where it has done so in vain too often. */
  protected abstract chargeReset(stream: Http2Stream): boolean;
  /** Draining, and the peer can open nothing any more. */
  protected abstract readonly mayEnd: boolean;

  // Frames, as the dispatcher found them to be in form.

  dataFrame(stream: number, endStream: boolean, length: number, padded: number): void {
    this.bodies.beginFrame(stream, endStream, length, padded);
  }

  dataPiece(bytes: Buffer, from: number, to: number): void {
    this.bodies.piece(bytes, from, to);
  }

  dataFrameEnd(): void {
    this.bodies.endFrame();
  }

  rstStreamFrame(id: number, errorCode: number): void {
    const stream = this.streams?.get(id);
    if (stream === undefined) {
      if (this.isIdle(id) && !this.isIgnored(id)) this.fault(faults.idleStream);
      else this.charge();
      return;
    }
    const isWithin = this.chargeReset(stream);
    const unprocessed = errorCode === ErrorCode.refusedStream;
    this.closeStream(stream);
    this.#events.onReset(stream, { errorCode, origin: 'peer', cause: 'reset', unprocessed });
    if (!isWithin) this.fault(faults.wastedStreams);
    this.onStreamClosed();
  }

  windowUpdateFrame(id: number, increment: number): void {
    if (!this.charge()) return;
    if (id === 0) {
      if (increment === 0) this.fault(faults.zeroIncrement);
      else if (!this.sender.grow(increment)) this.fault(faults.windowOverflow);
      return;
    }
    const stream = this.streams?.get(id);
    if (stream === undefined) {
      if (this.isIdle(id) && !this.isIgnored(id)) this.fault(faults.idleStream);
    } else if (increment === 0) this.streamFault(stream, faults.zeroStreamIncrement);
    else if (!this.sender.growStream(stream, increment)) this.streamFault(stream, faults.streamWindowOverflow);
  }

  settingsFrame(bytes: Buffer, from: number, to: number): void {
    if (!this.charge() || !this.chargeReply()) return;
    const { peer, sender } = this;
    const before = peer.initialWindowBytes;
    const fault = applySettings(peer, this.#role, bytes, from, to);
    if (fault !== undefined) {
      this.fault(fault);
      return;
    }
    sender.output.settingsAck();
    const lowest = lowestTableBytes(bytes, from, to);
    if (lowest < peer.headerTableBytes) sender.encoder.limitTable(lowest);
    sender.encoder.limitTable(peer.headerTableBytes);
    sender.maxFrameBytes = Math.min(peer.maxFrameBytes, mostSentFrameBytes);
    sender.initialStreamWindow = peer.initialWindowBytes;
    const change = peer.initialWindowBytes - before;
    if (change !== 0) {
      for (const stream of this.allStreams()) {
        if (stream.closed || sender.growStream(stream, change)) continue;
        this.fault(faults.initialWindow);
        return;
      }
    }
    this.#events.onSettings();
  }

  settingsAckFrame(): void {
    if (this.#settingsAcknowledged) {
      this.fault(faults.settingsAck);
      return;
    }
    this.#settingsAcknowledged = true;
    const { headerTableBytes } = this.options;
    if (headerTableBytes < defaultTableBytes) this.dispatcher.decoder.limitTable(headerTableBytes);
    this.bodies.settingsAcknowledged(this.allStreams());
  }

  pingFrame(isAck: boolean, bytes: Buffer, from: number): void {
    if (!this.charge()) return;
    if (isAck) this.pong(Buffer.from(bytes.subarray(from, from + 8)));
    else if (this.chargeReply()) this.sender.output.ping(true, bytes, from);
  }

  priorityFrame(id: number, isSized: boolean): void {
    if (!this.charge() || isSized) return;
    const stream = this.streams?.get(id);
    const { errorCode } = faults.prioritySize;
    if (stream !== undefined) this.streamFault(stream, faults.prioritySize);
    // RST_STREAM must not be sent for an idle stream (RFC 9113, section 6.4).
    else if (this.isIdle(id)) this.fault(faults.frameSize);
    else this.rst(id, errorCode);
  }

  unknownFrame(): void {
    this.charge();
  }
}

/** Larger frames save no work: payloads go by reference, and one stream would keep the others waiting. */
const mostSentFrameBytes = defaultFrameBytes;
