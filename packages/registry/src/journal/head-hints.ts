const leastBetweenLooksMs = 20;
const mostBetweenLooksMs = 10_000;

/**
 * Decides what a hint from elsewhere ("the journal has come to sequence N") is worth: at most one small read, soon again
 * after one that was true, ever later after ones that were not. So whoever lies, as fast as they like, gains nothing.
 */
export class HintJudge {
  #betweenMs = leastBetweenLooksMs;
  #nextLookMs = Number.NEGATIVE_INFINITY;

  /** Whether to look at `head` now. A `true` counts as a look. */
  mayLook(hinted: number, known: number, nowMs: number): boolean {
    if (hinted <= known || nowMs < this.#nextLookMs) return false;
    this.#nextLookMs = nowMs + this.#betweenMs;
    return true;
  }

  /** What the look showed: whether `head` had moved. */
  looked(moved: boolean): void {
    this.#betweenMs = moved ? leastBetweenLooksMs : Math.min(mostBetweenLooksMs, this.#betweenMs * 2);
  }
}
