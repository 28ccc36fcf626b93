/** Received bytes that are not consumed yet. Usually a single chunk, which is not copied. */
export class UnreadBytes {
  /** The piece, of which everything before `at` has been taken. `undefined` where nothing is left. */
  bytes: Buffer | undefined;
  at = 0;

  get length(): number {
    return this.bytes === undefined ? 0 : this.bytes.length - this.at;
  }

  append(piece: Buffer): void {
    if (piece.length === 0) return;
    this.bytes = this.bytes === undefined ? piece : Buffer.concat([this.bytes.subarray(this.at), piece]);
    this.at = 0;
  }

  /** Everything before `at` has been taken. */
  takeTo(at: number): void {
    this.at = at;
    if (this.bytes !== undefined && at >= this.bytes.length) this.clear();
  }

  /** All that is left, without taking it. */
  rest(): Buffer {
    return this.bytes?.subarray(this.at) ?? Buffer.alloc(0);
  }

  clear(): void {
    this.bytes = undefined;
    this.at = 0;
  }
}
