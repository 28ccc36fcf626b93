/**
 * How fast a client has to send its body. Silence alone is no measure: a client that sends a byte now and then is never
 * silent, and holds a connection to the endpoint without a limit.
 */
export class MinimumDataRate {
  readonly #bytesPerSecond: number;
  #missingBytes = 0;

  /** @param bytesPerSecond on average over a span; 0: any byte suffices. */
  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** A span begins, in milliseconds: its share of the body has to come before it ends. */
  begin(spanMs: number): void {
    this.#missingBytes = leastBytesIn(spanMs, this.#bytesPerSecond);
  }

  /** More has come. `true`: enough for the next span to begin. */
  take(bytes: number): boolean {
    this.#missingBytes -= bytes;
    return this.#missingBytes <= 0;
  }
}

/** What has to move in a span of milliseconds. */
export function leastBytesIn(spanMs: number, bytesPerSecond: number): number {
  return Math.max(1, (bytesPerSecond * spanMs) / 1_000);
}
