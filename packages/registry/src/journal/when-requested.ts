/** Turns the requests for a full read, which may come at any time, into a signal that ends the present wait. */
export class WhenRequested {
  readonly #iterator: AsyncIterator<void> | undefined;
  #requested = false;
  #stopped = false;
  #interrupt = new AbortController();

  constructor(requests: AsyncIterable<void> | undefined) {
    this.#iterator = requests?.[Symbol.asyncIterator]();
    if (this.#iterator !== undefined) this.#listen(this.#iterator);
  }

  /** Whether one came since `next`. */
  get requested(): boolean {
    return this.#requested;
  }

  /** A signal for the wait that begins now. Requests made before are answered by the read that went before it. */
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
        this.#listen(iterator);
      },
      // Whoever asks for full reads went away: following goes on without them.
      () => {},
    );
  }
}
