import type { LiveTraffic } from './cluster-bus.ts';

// Replicas report every second; numbers of one that is silent for longer are dropped.
const forgetAfterMs = 5_000;
// More replicas than any installation runs; invented names must not fill the memory.
const mostReplicas = 256;

/** The traffic of the other replicas, by their last reports. */
export class LiveReplicas {
  readonly #received = new Map<string, { readonly traffic: LiveTraffic; readonly atMs: number }>();

  receive(replica: string, traffic: LiveTraffic, nowMs: number): void {
    if (this.#received.size >= mostReplicas && !this.#received.has(replica)) this.#forget(nowMs);
    if (this.#received.size >= mostReplicas && !this.#received.has(replica)) return;
    this.#received.set(replica, { traffic, atMs: nowMs });
  }

  of(replica: string, nowMs: number): LiveTraffic | undefined {
    const received = this.#received.get(replica);
    return received === undefined || nowMs - received.atMs > forgetAfterMs ? undefined : received.traffic;
  }

  #forget(nowMs: number): void {
    for (const [replica, { atMs }] of this.#received) if (nowMs - atMs > forgetAfterMs) this.#received.delete(replica);
  }
}
