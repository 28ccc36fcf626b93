import type { FaultOwner } from '@swarmgate/runtime';

/** Something that must have happened by a point in time. */
export interface Timed extends FaultOwner {
  /** In the sweep's milliseconds (`in`), or `Infinity`. Moving it costs an assignment. */
  deadlineMs: number;
  /** -1 while it is not watched. For the sweep alone. */
  sweepPlace: number;
  /** Called once the deadline has passed, and again at each tick until the deadline moves or the entry is removed. */
  onDeadline(): void;
}

/**
 * Watches many deadlines with one timer: a request moves its connection's deadline several times, and a timer each time
 * would cost more than the parser. Deadlines are never early and at most one tick late.
 */
export class DeadlineSweep {
  /** Monotonic, as of the last tick: exact enough for ages, free to read. No deadline counts from it. */
  nowMs: number;
  readonly #tickMs: number;
  readonly #clock: () => number;
  /** Unordered. Not a Set: of entries that come with each request it would make garbage, see `StreamTable`. */
  readonly #watched: Timed[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param tickMs Default 100. */
  constructor(tickMs = 100, clock: () => number = () => performance.now()) {
    this.#tickMs = tickMs;
    this.#clock = clock;
    this.nowMs = clock();
  }

  /** How many are watched. */
  get size(): number {
    return this.#watched.length;
  }

  /** The point in time `ms` from now, by the clock: the last tick may be long ago where nothing was watched. */
  in(ms: number): number {
    return this.#clock() + ms;
  }

  /** The timer runs while anything is watched, and never keeps the process alive. */
  add(timed: Timed): void {
    if (timed.sweepPlace !== -1) return;
    if (this.#timer === undefined) {
      this.nowMs = this.#clock();
      this.#timer = setInterval(() => this.tick(), this.#tickMs);
      this.#timer.unref();
    }
    timed.sweepPlace = this.#watched.push(timed) - 1;
  }

  remove(timed: Timed): void {
    const place = timed.sweepPlace;
    if (place === -1) return;
    timed.sweepPlace = -1;
    const last = this.#watched.pop() as Timed;
    if (last !== timed) {
      this.#watched[place] = last;
      last.sweepPlace = place;
    }
    if (this.#watched.length === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  tick(): void {
    const before = this.nowMs;
    this.nowMs = this.#clock();
    // After a stall of ours, what the peers sent meanwhile waits to be read: no deadline is applied before that has happened.
    if (this.nowMs - before > 5 * this.#tickMs) return;
    const due = this.#watched.filter((timed) => timed.deadlineMs <= this.nowMs);
    for (const timed of due) {
      // One before it may have ended it, or moved its deadline.
      if (timed.sweepPlace === -1 || timed.deadlineMs > this.nowMs) continue;
      try {
        timed.onDeadline();
      } catch (error) {
        timed.onFault(error);
      }
    }
  }
}
