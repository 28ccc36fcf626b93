export interface TurnsOptions {
  readonly atOnce: number;
  readonly mostWaiting: number;
}

/** Lets a few at a time do something, in the order they came. */
export class Semaphore {
  readonly #options: TurnsOptions;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** `true` when it is one's turn, which has to be given back; `false` at once where too many wait. */
  async take(): Promise<boolean> {
    if (this.#taken < this.#options.atOnce) {
      this.#taken += 1;
      return true;
    }
    if (this.#waiting.length >= this.#options.mostWaiting) return false;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return true;
  }

  giveBack(): void {
    const next = this.#waiting.shift();
    // The turn goes on to the next one without becoming free in between.
    if (next === undefined) this.#taken -= 1;
    else next();
  }
}
