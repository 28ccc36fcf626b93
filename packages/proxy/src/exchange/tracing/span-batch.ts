const firstBytes = 64 * 1_024;

/**
 * Spans as they go to the collector, written into one buffer that is used again and again. Records or texts that waited for
 * seconds would outlive the young generation, and the collections of the old one would cost more than the spans.
 */
export class SpanBatch {
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  #length = 0;
  spans = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** @param text spans of one exchange, as `spansOf` makes them */
  add(text: string, spans: number): void {
    // At most three bytes for a UTF-16 unit, and a comma.
    const needed = this.#length + 3 * text.length + 1;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    if (this.#length > 0) this.#bytes[this.#length++] = 0x2c;
    this.#length += this.#bytes.write(text, this.#length, 'utf8');
    this.spans += spans;
  }

  /** Holds until the next `add` or `clear`. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    this.spans = 0;
  }
}
