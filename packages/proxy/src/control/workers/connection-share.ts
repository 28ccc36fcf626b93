import type { Socket } from 'node:net';
import { type FaultOwner, guard } from '@swarmgate/runtime';
import type { ConnectionCounts } from './connection-counts.ts';

/** A worker that opens and closes more in a second serves connections that end before it matters where they are. */
const briefPerSecond = 500;
const windowMs = 100;
/** A worker keeps what it accepts up to so much above the mean: a connection that is handed over costs some 0.3 ms of processor time. */
const tolerance = 1.1;

export interface ConnectionShareOptions {
  readonly counts: ConnectionCounts;
  /** Of this worker. */
  readonly place: number;
  /** Hands the connection over to the control process. `false`: it cannot. */
  readonly handOver: (socket: Socket, port: number) => boolean;
  /** Gets what goes wrong where no connection waits. */
  readonly owner: FaultOwner;
  /** Milliseconds, for tests. */
  readonly now?: () => number;
}

/**
 * Keeps one worker from having more connections than its share: all workers accept on the same sockets, and the one that
 * wakes first, often the same, gets a connection. One above its share hands the connection over, before anything is read.
 */
export class ConnectionShare {
  readonly #options: ConnectionShareOptions;
  readonly #now: () => number;
  readonly #flush: () => void;
  #open = 0;
  #taken = 0;
  /** Since the window began. */
  #opened = 0;
  #closed = 0;
  #windowSinceMs: number;
  #wasBusy = false;
  #isBrief = false;
  #isFlushing = false;

  constructor(options: ConnectionShareOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#windowSinceMs = this.#now();
    this.#flush = guard(options.owner, () => {
      this.#isFlushing = false;
      this.#write();
    });
  }

  /** Called for each connection that was accepted. `false`: another worker gets it. */
  keeps(socket: Socket, port: number): boolean {
    this.#look();
    if (this.#isBrief) return true;
    if (!this.#isAbove(this.#open + 1)) return true;
    return !this.#options.handOver(socket, port);
  }

  /** A connection was admitted, by whatever way it came. */
  opened(): void {
    this.#open += 1;
    this.#opened += 1;
    if (!this.#isBrief) this.#write();
  }

  closed(): void {
    this.#open -= 1;
    this.#closed += 1;
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    // One write for all that close in a turn of the event loop.
    if (this.#isBrief) setTimeout(this.#flush, windowMs).unref();
    else setImmediate(this.#flush);
  }

  /** A connection came from another worker. */
  took(): void {
    this.#taken += 1;
    this.#write();
  }

  #look(): void {
    const now = this.#now();
    const passedMs = now - this.#windowSinceMs;
    if (passedMs < windowMs) return;
    // Two windows in a row: many that close at once have been open for long, and are followed by others of the kind.
    const isBusy = (Math.min(this.#opened, this.#closed) * 1_000) / passedMs > briefPerSecond;
    this.#isBrief = isBusy && this.#wasBusy;
    this.#wasBusy = isBusy;
    this.#opened = 0;
    this.#closed = 0;
    this.#windowSinceMs = now;
  }

  /** Whether that many connections are more than this worker's share. */
  #isAbove(own: number): boolean {
    const { counts, place } = this.#options;
    counts.read();
    if (!counts.isUsable) return false;
    let [least, total, workers] = [Number.POSITIVE_INFINITY, own, 1];
    for (let other = 0; other < counts.places; other += 1) {
      if (other === place || !counts.isServing(other)) continue;
      const open = counts.openOf(other);
      least = Math.min(least, open);
      total += open;
      workers += 1;
    }
    return own > least + 1 && own > (total / workers) * tolerance;
  }

  #write(): void {
    this.#options.counts.writeOfWorker(this.#options.place, this.#open, this.#taken);
  }
}
