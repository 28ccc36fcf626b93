/** Calls back once nothing has happened for a while. Stopped until `start`. */
export class SilenceTimer {
  /** 0 and longer than any timer: never. */
  readonly ms: number;
  readonly #onSilence: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number, onSilence: () => void) {
    this.ms = ms;
    this.#onSilence = onSilence;
  }

  start(): void {
    this.stop();
    if (this.ms === 0 || !Number.isFinite(this.ms)) return;
    this.#timer = setTimeout(this.#onSilence, this.ms);
    this.#timer.unref();
  }

  /** Something has happened. */
  refresh(): void {
    this.#timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
