import { ErrorCode, Flag, Frame, frameHeaderBytes } from './frames.ts';

/** Heads and small bodies of a tick. */
const smallBytes = 16_384;
/** Large bodies: a write of one buffer is encrypted in place, several are joined before. */
const largeBytes = 131_072;
/** What is moved into a large buffer rather than written beside it. */
const mostMovedBytes = 4_096;
const freeSmall: Buffer[] = [];
const freeLarge: Buffer[] = [];
/** Buffers that are kept for later. */
const mostFreeSmall = 64;
const mostFreeLarge = 64;

/** What one write is to send: chunks in order, each the used part of a buffer. */
export interface OutputBatch {
  readonly chunks: readonly Uint8Array[];
  readonly buffers: readonly Buffer[];
  /** Where it ends, in bytes of the connection. */
  readonly endBytes: number;
}

/**
 * Gathers the frames of a connection until they are taken for one write. Buffers come from a pool for all connections: a
 * connection without pending output has none.
 */
export class FrameOutput {
  /** The one that is being filled, and how far it is. */
  #buffer: Buffer | undefined = undefined;
  #at = 0;
  /** Those that are full. */
  #chunks: Uint8Array[] = noChunks;
  #buffers: Buffer[] = noBuffers;
  #fullBytes = 0;
  #takenBytes = 0;
  /** Where what has been written ends, in bytes of the connection: for who writes to tell. */
  writtenBytes = 0;
  readonly #events: { onOutput(): void };

  /** @param events `onOutput` is called when output comes to wait where none did. */
  constructor(events: { onOutput(): void }) {
    this.#events = events;
  }

  /** Bytes that wait to be taken. */
  get pendingBytes(): number {
    return this.#fullBytes + this.#at;
  }

  /** Where what has come into the output ends, in bytes of the connection. */
  get endBytes(): number {
    return this.#takenBytes + this.pendingBytes;
  }

  /** Returns a buffer with room for `bytes` behind `at`; `commit` sets how far it was written. */
  reserve(bytes: number): Buffer {
    const buffer = this.#buffer;
    if (buffer !== undefined && buffer.length - this.#at >= bytes) return buffer;
    return this.#nextBuffer(bytes);
  }

  get at(): number {
    return this.#at;
  }

  commit(at: number): void {
    this.#at = at;
  }

  /** Appends a frame's header (RFC 9113, section 4.1). */
  header(length: number, type: number, flags: number, stream: number): void {
    const buffer = this.reserve(frameHeaderBytes);
    this.#at = writeFrameHeader(buffer, this.#at, length, type, flags, stream);
  }

  /** Appends a copy of bytes. */
  copy(bytes: Uint8Array, from: number, to: number): void {
    const buffer = this.reserve(to - from);
    copyBytes(bytes, from, to, buffer, this.#at);
    this.#at += to - from;
  }

  uint32(value: number): void {
    const buffer = this.reserve(4);
    this.#at = writeUint32(buffer, this.#at, value);
  }

  rstStream(stream: number, errorCode: number): void {
    this.header(4, Frame.rstStream, 0, stream);
    this.uint32(errorCode);
  }

  windowUpdate(stream: number, increment: number): void {
    this.header(4, Frame.windowUpdate, 0, stream);
    this.uint32(increment);
  }

  goaway(lastStream: number, errorCode: number, debug: string): void {
    const text = Buffer.from(errorCode === ErrorCode.noError ? '' : debug, 'latin1');
    this.header(8 + text.length, Frame.goaway, 0, 0);
    this.uint32(lastStream);
    this.uint32(errorCode);
    this.copy(text, 0, text.length);
  }

  ping(ack: boolean, payload: Uint8Array, from: number): void {
    this.header(8, Frame.ping, ack ? Flag.ack : 0, 0);
    this.copy(payload, from, from + 8);
  }

  settings(values: readonly (readonly [number, number])[]): void {
    this.header(values.length * 6, Frame.settings, 0, 0);
    for (const [identifier, value] of values) {
      const buffer = this.reserve(6);
      buffer[this.#at] = identifier >>> 8;
      buffer[this.#at + 1] = identifier;
      this.#at = writeUint32(buffer, this.#at + 2, value);
    }
  }

  settingsAck(): void {
    this.header(0, Frame.settings, Flag.ack, 0);
  }

  /** Takes what waits, the oldest first, or `undefined` if there is nothing. */
  take(mostChunks: number): OutputBatch | undefined {
    if (this.pendingBytes === 0) return undefined;
    if (this.#chunks.length >= mostChunks) {
      const chunks = this.#chunks.splice(0, mostChunks);
      const before = this.#fullBytes;
      for (const chunk of chunks) this.#fullBytes -= chunk.length;
      this.#takenBytes += before - this.#fullBytes;
      return { chunks, buffers: this.#buffers.splice(0, mostChunks), endBytes: this.#takenBytes };
    }
    if (this.#buffer !== undefined) this.#endBuffer(this.#buffer);
    this.#takenBytes += this.#fullBytes;
    const batch = { chunks: this.#chunks, buffers: this.#buffers, endBytes: this.#takenBytes };
    this.#buffer = undefined;
    this.#chunks = noChunks;
    this.#buffers = noBuffers;
    this.#fullBytes = 0;
    this.#at = 0;
    return batch;
  }

  #endBuffer(buffer: Buffer): void {
    if (this.#chunks === noChunks) {
      this.#chunks = [];
      this.#buffers = [];
    }
    this.#chunks.push(buffer.subarray(0, this.#at));
    this.#buffers.push(buffer);
    this.#fullBytes += this.#at;
  }

  #nextBuffer(bytes: number): Buffer {
    const before = this.#buffer;
    if (before === undefined) {
      if (this.#chunks.length === 0) this.#events.onOutput();
      this.#buffer = bytes > smallBytes - mostMovedBytes ? largeBuffer(bytes) : smallBuffer();
      this.#at = 0;
      return this.#buffer;
    }
    this.#buffer = largeBuffer(bytes);
    if (this.#at <= mostMovedBytes && bytes <= largeBytes - mostMovedBytes) {
      before.copy(this.#buffer, 0, 0, this.#at);
      giveBack(before);
      return this.#buffer;
    }
    this.#endBuffer(before);
    this.#at = 0;
    return this.#buffer;
  }
}

const noChunks: Uint8Array[] = [];
const noBuffers: Buffer[] = [];

/**
 * Gives the buffers of a batch back once its write is complete. Without it they are left to the garbage collector.
 * A batch must be released once, and only when no write refers to it.
 */
export function releaseOutput(batch: OutputBatch): void {
  for (const buffer of batch.buffers) giveBack(buffer);
}

function giveBack(buffer: Buffer): void {
  if (buffer.length === smallBytes && freeSmall.length < mostFreeSmall) freeSmall.push(buffer);
  else if (buffer.length === largeBytes && freeLarge.length < mostFreeLarge) freeLarge.push(buffer);
}

function smallBuffer(): Buffer {
  return freeSmall.pop() ?? Buffer.allocUnsafeSlow(smallBytes);
}

function largeBuffer(leastBytes: number): Buffer {
  if (leastBytes > largeBytes) return Buffer.allocUnsafeSlow(leastBytes);
  return freeLarge.pop() ?? Buffer.allocUnsafeSlow(largeBytes);
}

export function writeFrameHeader(
  target: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): number {
  target[at] = length >>> 16;
  target[at + 1] = length >>> 8;
  target[at + 2] = length;
  target[at + 3] = type;
  target[at + 4] = flags;
  return writeUint32(target, at + 5, stream);
}

function writeUint32(target: Uint8Array, at: number, value: number): number {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
  return at + 4;
}

function copyBytes(bytes: Uint8Array, from: number, to: number, target: Uint8Array, at: number): void {
  // A call into the runtime costs more than a short loop.
  if (to - from <= 32) for (let index = from, place = at; index < to; index++) target[place++] = bytes[index] as number;
  else target.set(bytes.subarray(from, to), at);
}
