/**
 * A flow-control window towards the peer, of a stream or of the connection (RFC 9113, section 5.2). The peer gets new
 * window for what was consumed, in steps of half the window: a WINDOW_UPDATE for each piece would cost more than it buys.
 */
export class ReceiveWindow {
  /** How many bytes the peer may still send. */
  available: number;
  #size: number;
  /** Consumed, but not yet announced. */
  #consumed = 0;

  constructor(size: number, available = size) {
    this.#size = size;
    this.available = available;
  }

  /** Counts received bytes. Returns `false` where the peer exceeds its window. */
  take(bytes: number): boolean {
    this.available -= bytes;
    return this.available >= 0;
  }

  /** Counts consumed bytes. Returns the increment that is due now, or 0. */
  release(bytes: number): number {
    this.#consumed += bytes;
    if (this.#consumed * 2 < this.#size) return 0;
    const increment = this.#consumed;
    this.#consumed = 0;
    this.available += increment;
    return increment;
  }

  /** The initial size changed by an acknowledged setting. */
  resize(size: number): void {
    this.available += size - this.#size;
    this.#size = size;
  }
}
