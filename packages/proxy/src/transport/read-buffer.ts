import type { CopiesBytes } from './response-reader.ts';

const readBufferBytes = 65_536;
/** The first read of a response, where what the client's system takes of it at once is not copied: 100 KB take one. */
const longReadBytes = 131_072;
/** What one connection reads before others have their turn: a response of 100 KB costs no pause. */
const shareBytes = 131_072;

/**
 * What receivers keep nothing of is read into one buffer for all connections: it stays in the processor's cache, where
 * buffers of their own would not.
 */
const longBuffer = Buffer.allocUnsafeSlow(longReadBytes);
const sharedBuffer = longBuffer.subarray(0, readBufferBytes);

/**
 * Where one connection reads into: the shared buffer while its receivers copy what they keep, else a buffer of its own, which
 * is replaced once bytes of it are kept.
 */
export class ReadBuffer {
  /** A read of so much may not be all that there is: so large are a usual buffer, and the window that a peer has at first. */
  static readonly wholeBytes = readBufferBytes;
  #current: Buffer | undefined;
  #copies: CopiesBytes | undefined = 'all';
  /** None of its bytes is in use. */
  #own: Buffer | undefined;
  #sinceShareBytes = 0;
  /** The next read begins a response. */
  #isFirst = true;

  /** The buffer of the next read; `undefined`: that of the last one. For `onread.buffer` of a socket. */
  next(): Uint8Array | undefined {
    const isLong = this.#isFirst && this.#copies === 'rest';
    const next = this.#copies === undefined ? this.#ownBuffer(readBufferBytes) : isLong ? longBuffer : sharedBuffer;
    if (next === this.#current) return undefined;
    this.#current = next;
    return next;
  }

  /**
   * What was read, for a receiver that may keep bytes of it unless it `copies`.
   * @param length bytes that were read
   */
  take(read: Buffer, length: number, copies: CopiesBytes | undefined): Buffer {
    this.#copies = copies;
    if (copies !== undefined || !isShared(read)) return read;
    const own = this.#ownBuffer(length);
    read.copy(own, 0, 0, length);
    return own;
  }

  /** Bytes of what `take` returned are in use: a slow client has yet to take them, and reading there would corrupt them. */
  keep(buffer: Buffer): void {
    if (isShared(buffer)) throw new Error('bytes in the buffer of all connections were kept');
    this.#own = undefined;
  }

  /** From here on a whole share may be read. */
  beginShare(): void {
    this.#sinceShareBytes = 0;
  }

  /**
   * Counts what was read. `true`: it ends a share, and the next one begins.
   * @param isAmid the next read is of the same response, or tunnel
   */
  endsShare(length: number, isAmid: boolean): boolean {
    this.#isFirst = !isAmid;
    this.#sinceShareBytes += length;
    if (this.#sinceShareBytes < shareBytes) return false;
    this.#sinceShareBytes = 0;
    return true;
  }

  #ownBuffer(leastBytes: number): Buffer {
    if (this.#own === undefined || this.#own.length < leastBytes)
      this.#own = Buffer.allocUnsafeSlow(Math.max(leastBytes, readBufferBytes));
    return this.#own;
  }
}

function isShared(buffer: Buffer): boolean {
  return buffer.buffer === longBuffer.buffer;
}
