import type { Socket } from 'node:net';
import { writeDirectly } from './direct-write.ts';
import { giveSpare, spareBytes, takeSpare } from './spare-buffers.ts';

/** A piece up to this size costs less as text, which leaves no buffer to wait for. */
const mostTextBytes = 4_096;
/** What may stand behind a piece in its buffer: the end of a chunk, and the last chunk. */
const mostFramingBytes = 16;

/** Writes bytes that hold only during the call: what the system does not take at once waits in buffers of the writer's. */
export class LentWriter {
  readonly #socket: Socket;
  /** Up to `#to` the socket may still have to take it. */
  #buffer: Buffer | undefined;
  #to = 0;
  /** Those before, of which the same is true. */
  #full: readonly Buffer[] = none;
  /** Writes of these buffers that the socket has not reported as taken. */
  #unreported = 0;
  readonly #onTaken: () => void;
  /** Some of the last write has left for certain, whatever becomes of the rest. */
  tookSome = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#onTaken = () => {
      this.#unreported -= 1;
      this.#settle();
    };
  }

  /**
   * Writes a piece with what stands before and behind it, latin1.
   * @returns `false` where the caller waits for `drain`
   */
  write(before: string, bytes: Buffer, from: number, to: number, after: string): boolean {
    this.tookSome = false;
    const length = to - from;
    if (length <= mostTextBytes)
      return this.#socket.write(before + bytes.toString('latin1', from, to) + after, 'latin1');
    const taken = writeDirectly(this.#socket, before, bytes, from, to, after);
    this.tookSome = taken > 0;
    if (taken === before.length + length + after.length) return true;
    if (taken === 0) return this.#writeCopies(before, bytes, from, to, after);
    const behind = taken - before.length;
    if (behind < 0) return this.#writeCopies(before.slice(taken), bytes, from, to, after);
    if (behind < length) return this.#writeCopies('', bytes, from + behind, to, after);
    return this.#socket.write(after.slice(behind - length), 'latin1');
  }

  #writeCopies(before: string, bytes: Buffer, from: number, to: number, after: string): boolean {
    const socket = this.#socket;
    if (before.length + to - from + after.length <= spareBytes) return this.#writeCopy(before, bytes, from, to, after);
    socket.cork();
    if (before !== '') socket.write(before, 'latin1');
    const mostBytes = spareBytes - mostFramingBytes;
    let at = from;
    for (; to - at > mostBytes; at += mostBytes) this.#writeCopy('', bytes, at, at + mostBytes, '');
    this.#writeCopy('', bytes, at, to, after.length <= mostFramingBytes ? after : '');
    if (after.length > mostFramingBytes) socket.write(after, 'latin1');
    socket.uncork();
    return !socket.writableNeedDrain;
  }

  #writeCopy(before: string, bytes: Buffer, from: number, to: number, after: string): boolean {
    const buffer = this.#bufferWith(before.length + to - from + after.length);
    const start = this.#to;
    let at = start;
    if (before !== '') at += buffer.write(before, at, 'latin1');
    at += bytes.copy(buffer, at, from, to);
    if (after !== '') at += buffer.write(after, at, 'latin1');
    this.#to = at;
    this.#unreported += 1;
    const goesOn = this.#socket.write(buffer.subarray(start, at), this.#onTaken);
    this.#settle();
    return goesOn;
  }

  #bufferWith(bytes: number): Buffer {
    const before = this.#buffer;
    if (before !== undefined && this.#to + bytes <= before.length) return before;
    if (before !== undefined) this.#full = [...this.#full, before];
    const buffer = bytes <= spareBytes ? takeSpare() : Buffer.allocUnsafeSlow(bytes);
    this.#buffer = buffer;
    this.#to = 0;
    return buffer;
  }

  /** What still waits may be text behind the buffers: without the count they would stay with an idle connection. */
  #settle(): void {
    const isTaken = this.#unreported === 0 || this.#socket.writableLength === 0;
    if (!isTaken || this.#buffer === undefined) return;
    giveSpare(this.#buffer);
    for (const buffer of this.#full) giveSpare(buffer);
    this.#buffer = undefined;
    this.#full = none;
  }
}

const none: readonly Buffer[] = [];
