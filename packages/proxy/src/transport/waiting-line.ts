import type { DeadlineSweep, Timed } from './deadline-sweep.ts';

/** Takes a place that becomes free. */
export interface PlaceWaiter {
  onQueueTimeout(): void;
  onFault(error: unknown): void;
}

/** Requests that wait for a connection to one endpoint, first come, first served. */
export class WaitingLine<Waiter extends PlaceWaiter> {
  readonly #sweep: DeadlineSweep;
  readonly #onEmpty: () => void;
  readonly #places: Place<Waiter>[] = [];

  /** @param onEmpty the last one has left */
  constructor(sweep: DeadlineSweep, onEmpty: () => void) {
    this.#sweep = sweep;
    this.#onEmpty = onEmpty;
  }

  get length(): number {
    return this.#places.length;
  }

  /** @param mostMs how long it waits */
  join(waiter: Waiter, mostMs: number): void {
    const place = new Place(waiter, this.#sweep.in(mostMs), () => this.#remove(place));
    this.#places.push(place);
    this.#sweep.add(place);
  }

  /** Takes the first one out of the line. */
  next(): Waiter | undefined {
    const first = this.#places[0];
    if (first === undefined) return undefined;
    this.#remove(first);
    return first.waiter;
  }

  /** Takes a request out of the line, wherever it stands. */
  forget(waiter: Waiter): void {
    const place = this.#places.find((each) => each.waiter === waiter);
    if (place !== undefined) this.#remove(place);
  }

  #remove(place: Place<Waiter>): void {
    this.#sweep.remove(place);
    const at = this.#places.indexOf(place);
    if (at !== -1) this.#places.splice(at, 1);
    if (this.#places.length === 0) this.#onEmpty();
  }
}

class Place<Waiter extends PlaceWaiter> implements Timed {
  readonly waiter: Waiter;
  readonly deadlineMs: number;
  sweepPlace = -1;
  readonly #leave: () => void;

  constructor(waiter: Waiter, deadlineMs: number, leave: () => void) {
    this.waiter = waiter;
    this.deadlineMs = deadlineMs;
    this.#leave = leave;
  }

  onDeadline(): void {
    this.#leave();
    this.waiter.onQueueTimeout();
  }

  onFault(error: unknown): void {
    this.waiter.onFault(error);
  }
}
