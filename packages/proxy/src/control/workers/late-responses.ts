/** A control process that has not responded to so many calls gets no further ones: each waits in memory on both sides. */
const mostLate = 1_000;

/** Calls of a worker that its control process did not respond to in time, and whose responses have to be acted upon still. */
export class LateResponses<R> {
  readonly #expected = new Map<number, (response: R) => void>();

  get isFull(): boolean {
    return this.#expected.size >= mostLate;
  }

  expect(call: number, onLate: (response: R) => void): void {
    this.#expected.set(call, onLate);
  }

  /** Without effect for a call that is not expected. */
  take(call: number, response: R): void {
    const onLate = this.#expected.get(call);
    this.#expected.delete(call);
    onLate?.(response);
  }
}
