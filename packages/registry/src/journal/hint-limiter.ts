const leastBetweenReadsMs = 20;
const mostBetweenReadsMs = 10_000;

/**
 * Limits what hints from elsewhere ("the journal has reached sequence N") cost: one small read every 20 ms at most while
 * they are true, every 10 s at most where they were false. A sender of false hints therefore costs a few reads, whatever
 * its rate. A hint that comes too early for a read waits for the next one: it is never dropped.
 */
export class HintLimiter {
  #betweenMs = leastBetweenReadsMs;
  #lastReadMs = Number.NEGATIVE_INFINITY;

  /** Milliseconds until `head` may be read. */
  restMs(nowMs: number): number {
    return Math.max(0, this.#lastReadMs + this.#betweenMs - nowMs);
  }

  readBegins(nowMs: number): void {
    this.#lastReadMs = nowMs;
  }

  /** What the read showed: whether `head` had moved, or had reached what was hinted. */
  wasRead(isTrue: boolean): void {
    this.#betweenMs = isTrue ? leastBetweenReadsMs : Math.min(mostBetweenReadsMs, this.#betweenMs * 2);
  }
}
