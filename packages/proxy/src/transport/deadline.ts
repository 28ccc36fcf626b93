/** One timer that is set again and again to different ends: connect, head, silence of either side. */
export class Deadline {
  #timer: NodeJS.Timeout | undefined;
  #onPassed: (() => void) | undefined;

  /** @param ms 0 or less: no deadline. */
  set(ms: number, onPassed: () => void): void {
    clearTimeout(this.#timer);
    this.#onPassed = onPassed;
    this.#timer = ms > 0 ? setTimeout(() => this.#onPassed?.(), ms) : undefined;
  }

  /** Restarts the timer with the same duration. */
  extend(): void {
    this.#timer?.refresh();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#onPassed = undefined;
  }
}
