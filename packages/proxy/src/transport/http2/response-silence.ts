import type { DeadlineSweep } from '../deadline-sweep.ts';

/** Silence for so long, in milliseconds, is reported while it lasts; then again after twice as long. */
const reportedSilenceMs = 1_000;

/** The deadline of one request: at first for its connection, then for the endpoint's silence. */
export class ResponseSilence {
  deadlineMs: number;
  /** How long the endpoint may stay silent, before the head and between pieces. */
  silenceMs = 0;
  readonly #sweep: DeadlineSweep;
  /** When silence ends the exchange: `deadlineMs`, unless the silence is reported before. */
  #overMs = Number.POSITIVE_INFINITY;
  #reportedMs = reportedSilenceMs;

  constructor(sweep: DeadlineSweep, connectMs: number) {
    this.#sweep = sweep;
    this.deadlineMs = sweep.in(connectMs);
  }

  /** The deadline that has passed is the last one. */
  get isOver(): boolean {
    return this.deadlineMs >= this.#overMs;
  }

  expectBytes(): void {
    this.deadlineMs = this.#overMs = this.#sweep.in(this.silenceMs);
  }

  /** @param whole the endpoint has the whole request, so its silence is reported */
  expectHead(whole: boolean): void {
    this.expectBytes();
    if (!whole) return;
    this.#reportedMs = Math.min(reportedSilenceMs, this.silenceMs / 4);
    this.deadlineMs = this.#sweep.in(this.#reportedMs);
  }

  expectNothing(): void {
    this.deadlineMs = this.#overMs = Number.POSITIVE_INFINITY;
  }

  endIn(ms: number): void {
    this.deadlineMs = this.#overMs = this.#sweep.in(ms);
  }

  /** The silence is reported now, and again later. */
  report(): void {
    this.deadlineMs = Math.min(this.#overMs, this.#sweep.in(this.#reportedMs));
    this.#reportedMs *= 2;
  }
}
