import type { DeadlineSweep } from './deadline-sweep.ts';

/** Silence for so long, in milliseconds, is reported while it lasts; then again after twice as long. */
const reportedSilenceMs = 1_000;

/** The deadline of what carries a request: at first for its connection, then for the endpoint's silence. */
export class ResponseSilence {
  deadlineMs: number;
  readonly #sweep: DeadlineSweep;
  /** When silence ends the exchange: `deadlineMs`, unless the silence is reported before. */
  #overMs = Number.POSITIVE_INFINITY;
  #beganMs = 0;
  #reportedMs = reportedSilenceMs;

  constructor(sweep: DeadlineSweep, connectMs: number) {
    this.#sweep = sweep;
    this.deadlineMs = sweep.in(connectMs);
  }

  /** The deadline that has passed is the last one. */
  get isOver(): boolean {
    return this.deadlineMs >= this.#overMs;
  }

  /** @param mostMs how long the endpoint may stay silent, before the head and between pieces */
  expectBytes(mostMs: number): void {
    this.#beganMs = this.#sweep.in(0);
    this.deadlineMs = this.#overMs = this.#beganMs + mostMs;
  }

  /** @param whole the endpoint has the whole request, so its silence is reported */
  expectHead(mostMs: number, whole: boolean): void {
    this.expectBytes(mostMs);
    if (!whole) return;
    this.#reportedMs = Math.min(reportedSilenceMs, mostMs / 4);
    this.deadlineMs = this.#beganMs + this.#reportedMs;
  }

  expectNothing(): void {
    this.deadlineMs = this.#overMs = Number.POSITIVE_INFINITY;
  }

  endIn(ms: number): void {
    this.endAt(this.#sweep.in(ms));
  }

  /** @param atMs in the sweep's milliseconds */
  endAt(atMs: number): void {
    this.deadlineMs = this.#overMs = atMs;
  }

  /** The silence is reported now, and again later. Returns for how long it has lasted. */
  report(): number {
    this.deadlineMs = Math.min(this.#overMs, this.#sweep.in(this.#reportedMs));
    this.#reportedMs *= 2;
    return this.#sweep.nowMs - this.#beganMs;
  }
}
