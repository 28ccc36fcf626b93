import type { ParseError } from '../../http/parse-error.ts';
import { parseErrors } from '../../http/parse-error.ts';

interface Piece {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

/** Pieces up to here are put together. */
const joinedPieceBytes = 4_096;
const joinedBytes = 16_384;

/** Body bytes of one stream that have arrived and are not read yet: at most a window of them. */
export class StreamBody {
  /** All of it has been read. */
  done: boolean;
  trailers = '';
  receivedBytes = 0;
  readonly #mostBytes: number;
  #pieces: Piece[] = [];
  /** Where small pieces are put together, and how much of it is filled. */
  #joined: Buffer | undefined;
  #joinedFrom = 0;
  #joinedTo = 0;
  #ended: boolean;
  #readBytes = 0;

  /** @param mostBytes `MAX_BODY_BYTES`; 0: unlimited */
  constructor(ended: boolean, mostBytes: number) {
    this.done = ended;
    this.#ended = ended;
    this.#mostBytes = mostBytes;
  }

  /** Its end has arrived. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Copies the bytes: they hold only during the call. */
  add(bytes: Buffer, from: number, to: number): void {
    this.receivedBytes += to - from;
    if (to - from <= joinedPieceBytes) this.#join(bytes, from, to);
    else {
      this.#endJoined();
      this.#pieces.push({ bytes: Buffer.from(bytes.subarray(from, to)), from: 0, to: to - from });
    }
  }

  end(): void {
    this.#ended = true;
  }

  /** Returns how many bytes were read, or why none can be. */
  read(take: (bytes: Buffer, from: number, to: number) => void): number | ParseError {
    this.#endJoined();
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

  #join(bytes: Buffer, from: number, to: number): void {
    if (this.#joined === undefined || this.#joinedTo + to - from > this.#joined.length) {
      this.#endJoined();
      this.#joined = Buffer.allocUnsafe(this.#pieces.length === 0 ? joinedPieceBytes : joinedBytes);
      this.#joinedFrom = 0;
      this.#joinedTo = 0;
    }
    const joined = this.#joined;
    // A call of copy costs more than a few bytes: a body may come in frames of one.
    if (to - from <= 8) for (let at = from; at < to; at += 1) joined[this.#joinedTo + at - from] = bytes[at] as number;
    else bytes.copy(joined, this.#joinedTo, from, to);
    this.#joinedTo += to - from;
  }

  /** What was put together so far is a piece; more may be added behind it, in the same buffer. */
  #endJoined(): void {
    if (this.#joined === undefined || this.#joinedTo === this.#joinedFrom) return;
    this.#pieces.push({ bytes: this.#joined, from: this.#joinedFrom, to: this.#joinedTo });
    this.#joinedFrom = this.#joinedTo;
  }
}
