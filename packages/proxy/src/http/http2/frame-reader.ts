import { type Fault, faults } from './faults.ts';
import { defaultFrameBytes, Flag, Frame, frameHeaderBytes } from './frames.ts';

/** Takes frames as they are read. Ranges are valid during the call. */
export interface FrameSink {
  /** A whole frame of any type but DATA: its payload. */
  onFrame(type: number, flags: number, stream: number, bytes: Buffer, from: number, to: number): void;
  /** The header of a DATA frame, of which `padded` bytes of `length` are no data. */
  onDataFrame(flags: number, stream: number, length: number, padded: number): void;
  /** Some of that frame's data. */
  onDataPiece(bytes: Buffer, from: number, to: number): void;
  /** The end of that frame. */
  onDataFrameEnd(): void;
  onFault(fault: Fault): void;
}

const smallestCarry = 64;
/** What a head costs beside other frames: so many of them, and one more for each `headBytes`. */
const headFrames = 8;
const headBytes = 64;

/**
 * Cuts frames out of read buffers (RFC 9113, section 4.1). A frame that is whole is parsed in place; one that a buffer's
 * end cuts is kept until the rest arrives. DATA is passed on as it comes and never kept.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  /** The beginning of a frame, `#carried` bytes of it. */
  #carry: Buffer | undefined = undefined;
  #carried = 0;
  #inData = false;
  #dataLeft = 0;
  #paddingLeft = 0;
  #stopped = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Since the connection began: for turns that are bounded by frames. A head counts as several, by its length. */
  framesRead = 0;

  /** Whether the last read ended within a frame. */
  get midFrame(): boolean {
    return this.#carried > 0 || this.#inData;
  }

  /** Ignores whatever comes. */
  stop(): void {
    this.#stopped = true;
    this.#carry = undefined;
  }

  read(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && !this.#stopped) {
      if (this.#inData) at = this.#readData(bytes, at, end);
      else if (this.#carried > 0) at = this.#fillCarry(bytes, at, end);
      else if (end - at < neededBytes(bytes, at, end)) {
        this.#keep(bytes, at, end);
        return;
      } else at = this.#readFrame(bytes, at);
    }
  }

  /** Reads one frame whose needed bytes are all there. Returns the place behind them. */
  #readFrame(bytes: Buffer, start: number): number {
    const length = lengthAt(bytes, start);
    const type = bytes[start + 3] as number;
    this.framesRead +=
      type === Frame.headers || type === Frame.continuation ? headFrames + Math.floor(length / headBytes) : 1;
    const flags = bytes[start + 4] as number;
    // The highest bit is reserved and ignored.
    const stream =
      (((bytes[start + 5] as number) & 0x7f) << 24) |
      ((bytes[start + 6] as number) << 16) |
      ((bytes[start + 7] as number) << 8) |
      (bytes[start + 8] as number);
    const at = start + frameHeaderBytes;
    if (length > defaultFrameBytes) {
      this.#sink.onFault(faults.frameTooLarge);
      return at;
    }
    if (type === Frame.data) return this.#beginData(bytes, at, flags, stream, length);
    this.#sink.onFrame(type, flags, stream, bytes, at, at + length);
    return at + length;
  }

  #beginData(bytes: Buffer, start: number, flags: number, stream: number, length: number): number {
    let at = start;
    let padded = 0;
    if ((flags & Flag.padded) !== 0) {
      if (length === 0) {
        this.#sink.onFault(faults.frameSize);
        return at;
      }
      padded = 1 + (bytes[at++] as number);
      if (padded > length) {
        this.#sink.onFault(faults.padding);
        return at;
      }
    }
    this.#inData = true;
    this.#dataLeft = length - padded;
    this.#paddingLeft = padded === 0 ? 0 : padded - 1;
    this.#sink.onDataFrame(flags, stream, length, padded);
    this.#endData();
    return at;
  }

  #readData(bytes: Buffer, start: number, end: number): number {
    let at = start;
    if (this.#dataLeft > 0) {
      const to = Math.min(end, at + this.#dataLeft);
      this.#dataLeft -= to - at;
      this.#sink.onDataPiece(bytes, at, to);
      at = to;
    }
    const padding = Math.min(end - at, this.#paddingLeft);
    this.#paddingLeft -= padding;
    this.#endData();
    return at + padding;
  }

  #endData(): void {
    if (this.#stopped || this.#dataLeft > 0 || this.#paddingLeft > 0) return;
    this.#inData = false;
    this.#sink.onDataFrameEnd();
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    const needed = Math.max(smallestCarry, neededBytes(bytes, start, end));
    this.#carry = Buffer.allocUnsafe(needed);
    this.#carried = bytes.copy(this.#carry, 0, start, end);
  }

  /** Completes the frame that is kept, or keeps more of it. */
  #fillCarry(bytes: Buffer, start: number, end: number): number {
    let at = start;
    for (;;) {
      const carry = this.#carry as Buffer;
      const needed = neededBytes(carry, 0, this.#carried);
      if (this.#carried >= needed) {
        this.#carried = 0;
        this.#carry = undefined;
        this.#readFrame(carry, 0);
        return at;
      }
      if (at >= end) return at;
      if (carry.length < needed) {
        this.#carry = Buffer.allocUnsafe(needed);
        carry.copy(this.#carry, 0, 0, this.#carried);
      }
      const taken = Math.min(needed - this.#carried, end - at);
      bytes.copy(this.#carry as Buffer, this.#carried, at, at + taken);
      this.#carried += taken;
      at += taken;
    }
  }
}

/** How many bytes must be there to read the frame at `at`: its header and, unless it is DATA, its payload. */
function neededBytes(bytes: Uint8Array, at: number, end: number): number {
  if (end - at < frameHeaderBytes) return frameHeaderBytes;
  const length = lengthAt(bytes, at);
  // A frame that is too large is an error already: nothing of it is kept.
  if (length > defaultFrameBytes) return frameHeaderBytes;
  if (bytes[at + 3] !== Frame.data) return frameHeaderBytes + length;
  return ((bytes[at + 4] as number) & Flag.padded) !== 0 && length > 0 ? frameHeaderBytes + 1 : frameHeaderBytes;
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
}
