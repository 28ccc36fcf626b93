/** How often something may happen: `burst` times at once, and `perSecond` on the long run. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** A token bucket. It reads the clock only when something is charged. */
export class Budget {
  readonly #rate: Rate;
  readonly #now: () => number;
  #left: number;
  #filledAtMs: number;

  /** @param now Milliseconds of a clock that never goes back. */
  constructor(rate: Rate, now: () => number) {
    this.#rate = rate;
    this.#now = now;
    this.#left = rate.burst;
    this.#filledAtMs = now();
  }

  /** Returns `false` where the budget is spent. */
  charge(amount: number): boolean {
    const now = this.#now();
    const earned = ((now - this.#filledAtMs) * this.#rate.perSecond) / 1_000;
    this.#filledAtMs = now;
    this.#left = Math.min(this.#rate.burst, this.#left + earned) - amount;
    return this.#left >= 0;
  }

  refund(amount: number): void {
    // `charge` bounds it.
    this.#left += amount;
  }
}
