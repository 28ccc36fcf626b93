const leastBetweenReadsMs = 20;
const mostBetweenReadsMs = 10_000;

/**
 * Limits what hints from elsewhere ("the journal has reached sequence N") cost: one small read each at most, again after
 * 20 ms where the last hint was true, after up to 10 s where hints were false. A sender of false hints therefore costs a
 * few reads, whatever its rate.
 */
export class HintLimiter {
  #betweenMs = leastBetweenReadsMs;
  #nextReadMs = Number.NEGATIVE_INFINITY;

  /** Whether to read `head` now. `true` counts as a read. */
  mayRead(hinted: number, known: number, nowMs: number): boolean {
    if (hinted <= known || nowMs < this.#nextReadMs) return false;
    this.#nextReadMs = nowMs + this.#betweenMs;
    return true;
  }

  /** What the read showed: whether `head` had moved. */
  wasRead(hasMoved: boolean): void {
    this.#betweenMs = hasMoved ? leastBetweenReadsMs : Math.min(mostBetweenReadsMs, this.#betweenMs * 2);
  }
}
