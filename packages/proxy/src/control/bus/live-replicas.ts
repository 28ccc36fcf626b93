import type { LiveTraffic } from './cluster-bus.ts';

// Replicas report every second; numbers of one that is silent for longer are dropped.
const forgetAfterMs = 5_000;
// More replicas than any installation runs; invented names must not fill the memory.
const mostReplicas = 256;

/** The traffic of the other replicas, by their last reports. */
export class LiveReplicas {
  readonly #heard = new Map<string, { readonly traffic: LiveTraffic; readonly atMs: number }>();

  hear(replica: string, traffic: LiveTraffic, nowMs: number): void {
    if (this.#heard.size >= mostReplicas && !this.#heard.has(replica)) this.#forget(nowMs);
    if (this.#heard.size >= mostReplicas && !this.#heard.has(replica)) return;
    this.#heard.set(replica, { traffic, atMs: nowMs });
  }

  of(replica: string, nowMs: number): LiveTraffic | undefined {
    const heard = this.#heard.get(replica);
    return heard === undefined || nowMs - heard.atMs > forgetAfterMs ? undefined : heard.traffic;
  }

  #forget(nowMs: number): void {
    for (const [replica, { atMs }] of this.#heard) if (nowMs - atMs > forgetAfterMs) this.#heard.delete(replica);
  }
}
