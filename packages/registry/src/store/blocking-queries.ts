import { pause } from '@swarmgate/runtime';

// Between a query that `suspect` aborted and the next one: calls that fail one after the other must not make a
// busy loop of it.
const betweenQueriesMs = 100;

/**
 * Blocking queries in flight. A Consul server that was paused or cut off holds its queries without a response, long after
 * another one leads and takes writes again. A call that fails meanwhile shows that, and the queries are sent again.
 */
export class BlockingQueries {
  readonly #inFlight = new Map<AbortController, number>();

  /** Sends a query, and again whenever it was aborted by `suspect`. Rejects with what `send` rejects with. */
  async hold<T>(signal: AbortSignal, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    for (;;) {
      const suspicion = new AbortController();
      this.#inFlight.set(suspicion, performance.now());
      try {
        return await send(AbortSignal.any([signal, suspicion.signal]));
      } catch (error) {
        if (signal.aborted || !suspicion.signal.aborted) throw error;
      } finally {
        this.#inFlight.delete(suspicion);
      }
      if (!(await pause(betweenQueriesMs, signal))) throw signal.reason;
    }
  }

  /** A call that began at `beganMs` got no response: queries that were sent before it may wait for the same server. */
  suspect(beganMs: number): void {
    for (const [suspicion, sentMs] of [...this.#inFlight]) if (sentMs <= beganMs) suspicion.abort();
  }
}
