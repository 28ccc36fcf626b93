/** Turns requests for a full read, which may come at any time, into a signal that ends the present wait. */
export class FullReadRequests {
  readonly #iterator: AsyncIterator<void> | undefined;
  #requested = false;
  #stopped = false;
  #interrupt = new AbortController();

  constructor(requests: AsyncIterable<void> | undefined) {
    this.#iterator = requests?.[Symbol.asyncIterator]();
    if (this.#iterator !== undefined) this.#listen(this.#iterator);
  }

  /** Whether a request came since `next`. */
  get requested(): boolean {
    return this.#requested;
  }

  /** A signal for the wait that begins now. Requests made before are served by the read that preceded it. */
  next(): AbortSignal {
    this.#requested = false;
    this.#interrupt = new AbortController();
    return this.#interrupt.signal;
  }

  stop(): void {
    this.#stopped = true;
  }

  #listen(iterator: AsyncIterator<void>): void {
    iterator.next().then(
      (step) => {
        if (step.done || this.#stopped) return;
        this.#requested = true;
        this.#interrupt.abort(new Error('a full read was requested'));
        // In a turn of its own: a source that always has a request must not keep the event loop busy.
        setImmediate(() => this.#listen(iterator));
      },
      // A source that fails ends the requests; following goes on without them.
      () => {},
    );
  }
}
