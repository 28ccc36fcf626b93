/**
 * Waits that a server holds for us. A server that was paused or cut off holds them in silence, long after another one
 * leads and takes writes again: what other calls meet meanwhile tells, so the waits are asked anew instead of believed.
 */
export class HeldWaits {
  readonly #held = new Map<AbortController, number>();

  /** Calls `ask`, again whenever the wait was doubted. Rejects with what `ask` rejects with. */
  async hold<T>(signal: AbortSignal, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    for (;;) {
      const doubt = new AbortController();
      this.#held.set(doubt, performance.now());
      try {
        return await ask(AbortSignal.any([signal, doubt.signal]));
      } catch (error) {
        if (signal.aborted || !doubt.signal.aborted) throw error;
      } finally {
        this.#held.delete(doubt);
      }
    }
  }

  /** A call that began at `beganMs` was not answered: whatever was asked before it may wait for the same server. */
  doubt(beganMs: number): void {
    for (const [doubt, heldSinceMs] of [...this.#held]) if (heldSinceMs <= beganMs) doubt.abort();
  }
}
