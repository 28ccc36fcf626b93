import type { Socket } from 'node:net';
import { giveSpare, spareBytes, takeSpare } from './spare-buffers.ts';

/** A piece up to this size costs less as text, which leaves no buffer to wait for. */
const mostTextBytes = 4_096;
/** The size of a chunk below 4 GB, and two line ends. */
const mostFramingBytes = 12;

/** Writes bytes that hold only during the call: what the socket does not take at once waits in buffers of the writer's. */
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

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#onTaken = () => {
      this.#unreported -= 1;
      this.#settle();
    };
  }

  /**
   * @param isChunk as a chunk (RFC 9112, section 7.1)
   * @returns `false` where the caller waits for `drain`
   */
  write(bytes: Buffer, from: number, to: number, isChunk: boolean): boolean {
    const length = to - from;
    const before = isChunk ? `${length.toString(16)}\r\n` : '';
    if (length <= mostTextBytes) {
      const text = bytes.toString('latin1', from, to);
      return this.#socket.write(isChunk ? `${before}${text}\r\n` : text, 'latin1');
    }
    const buffer = this.#bufferWith(length + mostFramingBytes);
    const start = this.#to;
    let at = start;
    if (isChunk) at += buffer.write(before, at, 'latin1');
    at += bytes.copy(buffer, at, from, to);
    if (isChunk) at += buffer.write('\r\n', at, 'latin1');
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
