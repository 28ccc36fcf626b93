import type { LiveTraffic } from './cluster-bus.ts';

// A replica tells every second; whoever was not heard for so long has nothing to show.
const forgetAfterMs = 5_000;
// More replicas than anybody runs; names that a liar makes up must not fill the memory.
const mostReplicas = 256;

/** What passes through the other replicas, as they last said. */
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
