const readBufferBytes = 65_536;
/** What one connection reads before others have their turn: a response of 100 KB costs no pause. */
const shareBytes = 131_072;

/**
 * What receivers keep nothing of is read into one buffer for all connections: it stays in the processor's cache, where
 * buffers of their own would not.
 */
const sharedBuffer = Buffer.allocUnsafeSlow(readBufferBytes);

/**
 * Where one connection reads into: the shared buffer while its receivers copy what they keep, else a buffer of its own, which
 * is replaced once bytes of it are kept.
 */
export class ReadBuffer {
  static readonly bytes = readBufferBytes;
  #current: Buffer | undefined;
  #isShared = true;
  /** None of its bytes is in use. */
  #own: Buffer | undefined;
  #sinceShareBytes = 0;

  /** The buffer of the next read; `undefined`: that of the last one. For `onread.buffer` of a socket. */
  next(): Uint8Array | undefined {
    const next = this.#isShared ? sharedBuffer : this.#ownBuffer();
    if (next === this.#current) return undefined;
    this.#current = next;
    return next;
  }

  /**
   * What was read, for a receiver that may keep bytes of it unless it `copies`.
   * @param length bytes that were read
   */
  take(read: Buffer, length: number, copies: boolean): Buffer {
    this.#isShared = copies;
    if (copies || read !== sharedBuffer) return read;
    const own = this.#ownBuffer();
    read.copy(own, 0, 0, length);
    return own;
  }

  /** Bytes of what `take` returned are in use: a slow client has yet to take them, and reading there would corrupt them. */
  keep(buffer: Buffer): void {
    if (buffer === sharedBuffer) throw new Error('bytes in the buffer of all connections were kept');
    this.#own = undefined;
  }

  /** From here on a whole share may be read. */
  beginShare(): void {
    this.#sinceShareBytes = 0;
  }

  /** Counts what was read. `true`: it ends a share, and the next one begins. */
  endsShare(length: number): boolean {
    this.#sinceShareBytes += length;
    if (this.#sinceShareBytes < shareBytes) return false;
    this.#sinceShareBytes = 0;
    return true;
  }

  #ownBuffer(): Buffer {
    this.#own ??= Buffer.allocUnsafeSlow(readBufferBytes);
    return this.#own;
  }
}
