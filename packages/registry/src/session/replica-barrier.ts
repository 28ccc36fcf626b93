import { pause } from '@swarmgate/runtime';
import type { KeyLayout } from '../journal/key-layout.ts';
import type { BarrierReport, ReplicaStatus } from '../registry.ts';
import { RegistryError } from '../registry-error.ts';
import type { KeyValueStore } from '../store/key-value-store.ts';
import { type ListedReplicas, listReplicas } from './replica-status.ts';

export interface ReplicaBarrierOptions {
  readonly store: KeyValueStore;
  readonly layout: KeyLayout;
  /** The status of this replica, which is known here before it is in the registry. */
  readonly own: () => ReplicaStatus;
  /** Whether the key of this replica has been written in a session that nothing is known to have ended. */
  readonly isWritten: () => boolean;
  /** How long replicas count after their sessions were lost, in milliseconds: until they have others. */
  readonly lostMs: number;
  /** Between two attempts while the registry does not respond. */
  readonly betweenRetriesMs: number;
}

interface Waiter {
  readonly isServing: (status: ReplicaStatus) => boolean;
  readonly done: PromiseWithResolvers<BarrierReport>;
  /** The replicas as listed after this waiter came: one that is listed earlier may have ended since, or be missing. */
  replicas: readonly ReplicaStatus[] | undefined;
}

/**
 * Waits until the status of every live replica shows that it serves something, such as a journal sequence. All waiters of a process share one listing and one blocking
 * query; with no other replica than this one there is no blocking query at all.
 */
export class ReplicaBarrier {
  readonly #options: ReplicaBarrierOptions;
  readonly #waiters = new Set<Waiter>();
  #listing: Promise<void> | undefined;
  #listAgain = false;
  #watching: AbortController | undefined;
  /** The replicas as last listed with this one among them. */
  #known: readonly ReplicaStatus[] = [];
  /** Those whose sessions were lost, and that have not been listed since. */
  #lost: readonly ReplicaStatus[] = [];
  #lostUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: ReplicaBarrierOptions) {
    this.#options = options;
  }

  /**
   * @returns at the latest after `timeoutMs`, with the replicas that do not serve it
   * @throws RegistryError `registry-unreachable` when the replicas could not be listed by then, and the signal's reason
   */
  async wait(isServing: Waiter['isServing'], timeoutMs: number, signal: AbortSignal): Promise<BarrierReport> {
    signal.throwIfAborted();
    const waiter: Waiter = { isServing, done: Promise.withResolvers(), replicas: undefined };
    this.#waiters.add(waiter);
    const timer = setTimeout(() => this.#giveUp(waiter), Math.ceil(timeoutMs));
    const onAbort = () => waiter.done.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#list();
    try {
      return await waiter.done.promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      this.#waiters.delete(waiter);
      if (this.#waiters.size === 0) this.#watching?.abort();
    }
  }

  /** To be called when the status of this replica changed. */
  ownStatusChanged(): void {
    this.#respondServed();
  }

  /**
   * The session of this replica was lost, perhaps with all others, as where Consul was wiped: replicas that were known
   * before count until they have another session or `lostMs` have passed, although their keys are gone.
   */
  sessionLost(): void {
    const known = new Set(this.#known.map(({ replica }) => replica));
    const isLost = performance.now() < this.#lostUntilMs;
    this.#lost = [...this.#known, ...(isLost ? this.#lost.filter(({ replica }) => !known.has(replica)) : [])];
    this.#lostUntilMs = performance.now() + this.#options.lostMs;
  }

  /** Notes which replicas there are, from a listing of its own. */
  refresh(): void {
    this.#list();
  }

  /** Notes a listing that was made for another purpose. */
  note(listed: ListedReplicas): void {
    this.#live(listed);
  }

  /** Those listed, and those whose sessions were lost; without those that drain. */
  #live({ live, draining, left }: ListedReplicas): readonly ReplicaStatus[] {
    const { own, isWritten } = this.#options;
    const names = new Set(live.map(({ replica }) => replica));
    const drains = draining.map(({ replica }) => replica);
    const ended = [...left, ...drains];
    const isListed = names.has(own().replica) || drains.includes(own().replica);
    const isLost = () => performance.now() < this.#lostUntilMs;
    if (!isListed && isWritten() && !isLost()) this.sessionLost();
    // One that is there again and then goes is gone, as one that stopped.
    const gone = new Set([...names, ...ended]);
    this.#known = isListed ? live : this.#known.filter(({ replica }) => !ended.includes(replica));
    if (!isLost()) return live;
    this.#lost = this.#lost.filter(({ replica }) => !gone.has(replica));
    // What they report is of the registry that is gone.
    return [...live, ...this.#lost.map((status) => ({ ...status, sequence: -1, reload: undefined }))];
  }

  #respondServed(): void {
    for (const waiter of this.#waiters) {
      const report = this.#reportOf(waiter);
      if (report?.waitingFor.length === 0) waiter.done.resolve(report);
    }
  }

  #giveUp(waiter: Waiter): void {
    const report = this.#reportOf(waiter);
    if (report !== undefined) waiter.done.resolve(report);
    else waiter.done.reject(RegistryError.of('registry-unreachable', 'the replicas could not be listed in time'));
  }

  /** `undefined`: the replicas have not been listed yet. */
  #reportOf({ isServing, replicas }: Waiter): BarrierReport | undefined {
    if (replicas === undefined) return undefined;
    const own = this.#options.own();
    const all = [...replicas.filter(({ replica }) => replica !== own.replica), own].toSorted((a, b) =>
      a.replica < b.replica ? -1 : 1,
    );
    const named = (serving: boolean) =>
      all.filter((status) => isServing(status) === serving).map(({ replica }) => replica);
    return { serving: named(true), waitingFor: named(false) };
  }

  /** Lists once more, after the listing in flight: that one may have begun before its caller came. */
  #list(): void {
    if (this.#listing !== undefined) this.#listAgain = true;
    else this.#listing = this.#listUntilResponse();
  }

  async #listUntilResponse(): Promise<void> {
    const { store, layout, betweenRetriesMs } = this.#options;
    do {
      this.#listAgain = false;
      const waiters = [...this.#waiters];
      try {
        const replicas = this.#live(await listReplicas(store, layout, AbortSignal.timeout(10_000)));
        for (const waiter of waiters) waiter.replicas = replicas;
        this.#respondServed();
      } catch {
        // The waiters end by their own timeouts.
        await pause(betweenRetriesMs);
        this.#listAgain = this.#waiters.size > 0;
      }
    } while (this.#listAgain);
    this.#listing = undefined;
    const own = this.#options.own().replica;
    const isAnotherLate = [...this.#waiters].some((waiter) =>
      this.#reportOf(waiter)?.waitingFor.some((replica) => replica !== own),
    );
    if (isAnotherLate && this.#watching === undefined) void this.#watch();
  }

  /** Lists the replicas whenever one of their keys changes, until no waiter is left. Never rejects. */
  async #watch(): Promise<void> {
    const { store, layout, betweenRetriesMs } = this.#options;
    const watching = new AbortController();
    this.#watching = watching;
    let index = 0;
    while (!watching.signal.aborted) {
      try {
        // The index comes from before the listing: a status written in between wakes this once more, never too seldom.
        const { index: next } = await store.waitForNames(layout.proxies, index, watching.signal);
        index = next < index ? 0 : next;
        this.#list();
      } catch {
        index = 0;
        await pause(betweenRetriesMs, watching.signal);
      }
    }
    this.#watching = undefined;
    // A waiter that came while the query was being aborted.
    if (this.#waiters.size > 0) this.#list();
  }
}
