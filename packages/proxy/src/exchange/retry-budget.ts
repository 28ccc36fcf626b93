/**
 * Keeps retries from multiplying the load on services that are failing already: each request earns a fraction of a
 * retry, each retry costs a whole one. A few are always there for a proxy with little traffic.
 */
export class RetryBudget {
  readonly #perRequest: number;
  readonly #most: number;
  #left: number;

  /**
   * @param perRequest Share of requests that may be retried. Default 0.2.
   * @param most Retries saved up at most, and there at the start. Default 20.
   */
  constructor(perRequest = 0.2, most = 20) {
    this.#perRequest = perRequest;
    this.#most = most;
    this.#left = most;
  }

  onRequest(): void {
    this.#left = Math.min(this.#most, this.#left + this.#perRequest);
  }

  /** Takes one retry out of the budget; `false`: there is none left. */
  take(): boolean {
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
