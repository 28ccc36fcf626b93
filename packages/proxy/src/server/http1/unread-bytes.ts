import { giveSpare, spareBytes, takeSpare } from '../../transport/spare-buffers.ts';

const headEnd = Buffer.from('\r\n\r\n');
const LF = 0x0a;
/** So much and less waits in a buffer of its own size: a whole one would multiply what a slow endpoint makes wait. */
const mostSmallBytes = 8_192;

/** Received bytes that are not consumed yet. Usually a single piece, of which only what is left behind the call is copied. */
export class UnreadBytes {
  /** The piece, of which everything before `at` has been taken. `undefined` where nothing is left. */
  bytes: Buffer | undefined;
  at = 0;
  /** What `bytes` is the beginning of, where it was put together of several pieces. */
  #room: Buffer | undefined;
  /** `bytes` are those of a piece that holds only during the call. */
  #isLent = false;
  /** What `bytes` are in, or were until all of them had been taken. */
  #spare: Buffer | undefined;

  get length(): number {
    return this.bytes === undefined ? 0 : this.bytes.length - this.at;
  }

  /** The end of the next head is not among so many bytes, of which there are more. */
  hasLongHead(bytes: number): boolean {
    return this.length > bytes && this.bytes?.subarray(this.at, this.at + bytes).includes(headEnd) === false;
  }

  /**
   * After `piece` was appended. Where a head is incomplete there is nothing new to parse without a line end, whatever trickles in, until
   * there are `mostBytes`, which is too long.
   */
  mayHoldHead(piece: Buffer, mostBytes: number): boolean {
    return this.bytes === piece || piece.includes(LF) || this.length >= mostBytes;
  }

  /** @param piece holds until `keep` */
  append(piece: Buffer): void {
    if (piece.length === 0) return;
    if (this.bytes === undefined) {
      this.bytes = piece;
      this.at = 0;
      this.#isLent = true;
    } else this.#grow(this.bytes, piece);
  }

  /** What is left of the piece may be used from here on. */
  keep(): void {
    if (!this.#isLent) return;
    this.#isLent = false;
    if (this.bytes === undefined) return;
    this.bytes = this.#copyOf(this.bytes.subarray(this.at));
    this.at = 0;
  }

  #copyOf(left: Buffer): Buffer {
    if (left.length <= mostSmallBytes || left.length > spareBytes) return Buffer.from(left);
    this.#spare = takeSpare();
    left.copy(this.#spare);
    return this.#spare.subarray(0, left.length);
  }

  /** Nothing refers any more to what has been taken, as the head of a request does while it begins to be served. */
  settle(): void {
    if (this.#spare === undefined || this.bytes !== undefined) return;
    giveSpare(this.#spare);
    this.#spare = undefined;
  }

  /** Room is made for as much again as there is: a head that comes byte by byte is copied a few times, not for each byte. */
  #grow(bytes: Buffer, piece: Buffer): void {
    const end = bytes.length + piece.length;
    if (this.#room !== undefined && end <= this.#room.length) {
      piece.copy(this.#room, bytes.length);
      this.bytes = this.#room.subarray(0, end);
      return;
    }
    const left = bytes.subarray(this.at);
    const length = left.length + piece.length;
    this.#room = Buffer.allocUnsafeSlow(2 * length);
    left.copy(this.#room);
    piece.copy(this.#room, left.length);
    this.bytes = this.#room.subarray(0, length);
    this.at = 0;
    this.#isLent = false;
  }

  /** Everything before `at` has been taken. */
  takeTo(at: number): void {
    this.at = at;
    if (this.bytes === undefined || at < this.bytes.length) return;
    this.bytes = undefined;
    this.#room = undefined;
    this.#isLent = false;
    this.at = 0;
  }

  /** All that is left, without taking it. It may be kept. */
  rest(): Buffer {
    this.keep();
    return this.bytes?.subarray(this.at) ?? Buffer.alloc(0);
  }

  /** Some of it may still be in use. */
  clear(): void {
    this.bytes = undefined;
    this.#room = undefined;
    this.#spare = undefined;
    this.#isLent = false;
    this.at = 0;
  }
}
