/** So many a second, and as many at once after a second of quiet. */
export class TokenBucket {
  readonly #perSecond: number;
  #left: number;
  #countedMs: number | undefined;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  /** `false`: too many. `nowMs` only has to grow. */
  take(nowMs: number, count = 1): boolean {
    const passedMs = nowMs - (this.#countedMs ?? nowMs);
    this.#countedMs = nowMs;
    this.#left = Math.min(this.#perSecond, this.#left + (passedMs * this.#perSecond) / 1_000);
    if (this.#left < count) return false;
    this.#left -= count;
    return true;
  }
}
