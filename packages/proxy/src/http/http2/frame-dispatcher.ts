import { type Fault, faults } from './faults.ts';
import type { FrameSink } from './frame-reader.ts';
import { Flag, Frame } from './frames.ts';
import { DecodedFields, HpackDecoder } from './hpack/decoder.ts';
import type { SessionOptions } from './session-options.ts';

/** Frames whose form is right. `bytes` is valid during the call. */
export interface FrameEvents {
  headersFrame(stream: number, endStream: boolean, fields: DecodedFields): void;
  dataFrame(stream: number, endStream: boolean, length: number, padded: number): void;
  dataPiece(bytes: Buffer, from: number, to: number): void;
  dataFrameEnd(): void;
  rstStreamFrame(stream: number, errorCode: number): void;
  settingsFrame(bytes: Buffer, from: number, to: number): void;
  settingsAckFrame(): void;
  pingFrame(isAck: boolean, bytes: Buffer, from: number): void;
  goawayFrame(lastStream: number, errorCode: number, debug: string): void;
  windowUpdateFrame(stream: number, increment: number): void;
  /** PRIORITY, which is ignored (RFC 9113, section 5.3.2); a wrong size is an error of the stream. */
  priorityFrame(stream: number, isSized: boolean): void;
  /** Ignored (RFC 9113, section 5.5). */
  unknownFrame(): void;
  fault(fault: Fault): void;
}

// A block is decoded and validated before the next frame of any connection is read.
const decoded = new DecodedFields();

/**
 * Validates the form of frames (RFC 9113, section 6): sizes, stream identifiers, their order within a field block, and that
 * SETTINGS comes first. Assembles and decodes field blocks.
 */
export class FrameDispatcher implements FrameSink {
  readonly decoder = new HpackDecoder();
  readonly #events: FrameEvents;
  readonly #options: SessionOptions;
  #settingsSeen = false;
  /** The stream whose field block goes on, or 0. */
  #blockStream = 0;
  #blockEndsStream = false;
  #block: Buffer[] = noBlocks;
  #blockBytes = 0;
  #continuations = 0;

  constructor(events: FrameEvents, options: SessionOptions) {
    this.#events = events;
    this.#options = options;
  }

  /** The last frame left a field block open. */
  get midBlock(): boolean {
    return this.#blockStream !== 0;
  }

  onFault(fault: Fault): void {
    this.#events.fault(fault);
  }

  onDataFrame(flags: number, stream: number, length: number, padded: number): void {
    if (!this.#inOrder(Frame.data, stream)) return;
    if (stream === 0) this.#events.fault(faults.wrongStream);
    else this.#events.dataFrame(stream, (flags & Flag.endStream) !== 0, length, padded);
  }

  onDataPiece(bytes: Buffer, from: number, to: number): void {
    this.#events.dataPiece(bytes, from, to);
  }

  onDataFrameEnd(): void {
    this.#events.dataFrameEnd();
  }

  onFrame(type: number, flags: number, stream: number, bytes: Buffer, from: number, to: number): void {
    if (!this.#inOrder(type, stream)) return;
    const events = this.#events;
    const length = to - from;
    switch (type) {
      case Frame.headers:
        this.#headers(flags, stream, bytes, from, to);
        return;
      case Frame.windowUpdate:
        if (length !== 4) events.fault(faults.frameSize);
        else events.windowUpdateFrame(stream, bytes.readUInt32BE(from) & 0x7fff_ffff);
        return;
      case Frame.continuation:
        this.#continuation(flags, bytes, from, to);
        return;
      case Frame.rstStream:
        if (length !== 4) events.fault(faults.frameSize);
        else if (stream === 0) events.fault(faults.wrongStream);
        else events.rstStreamFrame(stream, bytes.readUInt32BE(from));
        return;
      case Frame.settings:
        this.#settings(flags, stream, bytes, from, to);
        return;
      case Frame.ping:
        if (length !== 8) events.fault(faults.frameSize);
        else if (stream !== 0) events.fault(faults.wrongStream);
        else events.pingFrame((flags & Flag.ack) !== 0, bytes, from);
        return;
      case Frame.priority:
        if (stream === 0) events.fault(faults.wrongStream);
        else events.priorityFrame(stream, length === 5);
        return;
      case Frame.goaway:
        if (stream !== 0) events.fault(faults.wrongStream);
        else if (length < 8) events.fault(faults.frameSize);
        else this.#goaway(bytes, from, to);
        return;
      case Frame.pushPromise:
        events.fault(faults.push);
        return;
      default:
        events.unknownFrame();
    }
  }

  /** RFC 9113, sections 3.4, 4.3 and 6.10. */
  #inOrder(type: number, stream: number): boolean {
    if (!this.#settingsSeen && type !== Frame.settings) {
      this.#events.fault(faults.settingsFirst);
      return false;
    }
    if (this.#blockStream === 0) {
      if (type !== Frame.continuation) return true;
      this.#events.fault(faults.continuationUnexpected);
      return false;
    }
    if (type === Frame.continuation && stream === this.#blockStream) return true;
    this.#events.fault(faults.continuationExpected);
    return false;
  }

  #headers(flags: number, stream: number, bytes: Buffer, start: number, end: number): void {
    let from = start;
    let to = end;
    if (stream === 0) {
      this.#events.fault(faults.wrongStream);
      return;
    }
    if ((flags & Flag.padded) !== 0) {
      if (from === to) {
        this.#events.fault(faults.frameSize);
        return;
      }
      to -= bytes[from++] as number;
    }
    if ((flags & Flag.priority) !== 0) {
      if (end - from < 5) {
        this.#events.fault(faults.frameSize);
        return;
      }
      from += 5;
    }
    if (to < from) {
      this.#events.fault(faults.padding);
      return;
    }
    const endsStream = (flags & Flag.endStream) !== 0;
    if ((flags & Flag.endHeaders) !== 0) {
      this.#decode(stream, endsStream, bytes, from, to);
      return;
    }
    this.#blockStream = stream;
    this.#blockEndsStream = endsStream;
    this.#block = [];
    this.#blockBytes = 0;
    this.#continuations = 0;
    this.#keepBlock(bytes, from, to);
  }

  #continuation(flags: number, bytes: Buffer, from: number, to: number): void {
    if (++this.#continuations > this.#options.maxContinuations) {
      this.#events.fault(faults.tooManyContinuations);
      return;
    }
    if (!this.#keepBlock(bytes, from, to) || (flags & Flag.endHeaders) === 0) return;
    const stream = this.#blockStream;
    const block = Buffer.concat(this.#block, this.#blockBytes);
    this.#blockStream = 0;
    this.#block = noBlocks;
    this.#decode(stream, this.#blockEndsStream, block, 0, block.length);
  }

  /** The coded size has a limit of its own: a block that exceeds it cannot be decoded without holding all of it. */
  #keepBlock(bytes: Buffer, from: number, to: number): boolean {
    this.#blockBytes += to - from;
    if (this.#blockBytes > this.#options.maxHeadBytes * 2) {
      this.#block = noBlocks;
      this.#events.fault(faults.fieldBlockTooLarge);
      return false;
    }
    this.#block.push(Buffer.from(bytes.subarray(from, to)));
    return true;
  }

  #decode(stream: number, endStream: boolean, bytes: Buffer, from: number, to: number): void {
    decoded.begin(this.#options.maxHeadBytes);
    if (this.decoder.decode(bytes, from, to, decoded)) this.#events.headersFrame(stream, endStream, decoded);
    else this.#events.fault(decoded.isBomb ? faults.fieldBlockTooLarge : faults.compression);
  }

  #settings(flags: number, stream: number, bytes: Buffer, from: number, to: number): void {
    const isAck = (flags & Flag.ack) !== 0;
    if (stream !== 0) this.#events.fault(faults.wrongStream);
    else if (isAck ? to !== from : (to - from) % 6 !== 0) this.#events.fault(faults.frameSize);
    else if (isAck && !this.#settingsSeen) this.#events.fault(faults.settingsFirst);
    else if (isAck) this.#events.settingsAckFrame();
    else {
      this.#settingsSeen = true;
      this.#events.settingsFrame(bytes, from, to);
    }
  }

  #goaway(bytes: Buffer, from: number, to: number): void {
    const lastStream = bytes.readUInt32BE(from) & 0x7fff_ffff;
    const debug = bytes.toString('latin1', from + 8, Math.min(to, from + 8 + 128));
    this.#events.goawayFrame(lastStream, bytes.readUInt32BE(from + 4), debug);
  }
}

const noBlocks: Buffer[] = [];
