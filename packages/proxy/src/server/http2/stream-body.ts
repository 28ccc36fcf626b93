import type { ParseError } from '../../http/parse-error.ts';
import { parseErrors } from '../../http/parse-error.ts';

interface Piece {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

/** Body bytes of one stream that have arrived and are not read yet: at most a window of them. */
export class StreamBody {
  /** All of it has been read. */
  done: boolean;
  trailers = '';
  receivedBytes = 0;
  readonly #mostBytes: number;
  #pieces: Piece[] = [];
  #ended: boolean;
  #readBytes = 0;

  /** @param mostBytes `MAX_BODY_BYTES`; 0: unlimited */
  constructor(ended: boolean, mostBytes: number) {
    this.done = ended;
    this.#ended = ended;
    this.#mostBytes = mostBytes;
  }

  /** @param bytes kept until they are read */
  add(bytes: Buffer, from: number, to: number): void {
    this.receivedBytes += to - from;
    this.#pieces.push({ bytes, from, to });
  }

  end(): void {
    this.#ended = true;
  }

  /** Returns how many bytes were read, or why none can be. */
  read(take: (bytes: Buffer, from: number, to: number) => void): number | ParseError {
    const pieces = this.#pieces;
    this.#pieces = [];
    let count = 0;
    for (const { from, to } of pieces) count += to - from;
    this.#readBytes += count;
    if (this.#mostBytes > 0 && this.#readBytes > this.#mostBytes) return parseErrors.bodyTooLarge;
    // Before the last bytes are given, so that their taker sees what a body of HTTP/1.1 shows it.
    if (this.#ended) this.done = true;
    for (const { bytes, from, to } of pieces) take(bytes, from, to);
    return count;
  }
}
