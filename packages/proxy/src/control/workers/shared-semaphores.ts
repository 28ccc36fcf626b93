/** The semaphores of one proxy, of which its workers acquire permits. Those of a worker are released when it ends. */
export class SharedSemaphores<Worker> {
  readonly #inFlight = new Map<string, number>();
  /** Keys by the worker's calls. */
  readonly #byWorker = new Map<Worker, Map<number, string>>();

  /** @param call the worker's, which it releases the permit by */
  acquire(worker: Worker, call: number, key: string, most: number): boolean {
    const now = this.#inFlight.get(key) ?? 0;
    if (now >= most) return false;
    this.#inFlight.set(key, now + 1);
    let calls = this.#byWorker.get(worker);
    if (calls === undefined) {
      calls = new Map();
      this.#byWorker.set(worker, calls);
    }
    calls.set(call, key);
    return true;
  }

  /** Without effect for a call that got no permit. */
  release(worker: Worker, call: number): void {
    const calls = this.#byWorker.get(worker);
    const key = calls?.get(call);
    if (key === undefined) return;
    calls?.delete(call);
    this.#giveBack(key);
  }

  /** Releases all permits of a worker that ended. */
  forget(worker: Worker): void {
    const calls = this.#byWorker.get(worker);
    this.#byWorker.delete(worker);
    for (const key of calls?.values() ?? []) this.#giveBack(key);
  }

  /** Permits that are acquired. */
  get size(): number {
    return [...this.#inFlight.values()].reduce((sum, count) => sum + count, 0);
  }

  #giveBack(key: string): void {
    const left = (this.#inFlight.get(key) ?? 1) - 1;
    if (left > 0) this.#inFlight.set(key, left);
    else this.#inFlight.delete(key);
  }
}
