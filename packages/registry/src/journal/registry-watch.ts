import { pause } from '@swarmgate/runtime';
import type { HeadHints } from '../registry.ts';
import type { KeyValueStore, StoredValue } from '../store/key-value-store.ts';
import { type Head, parseHead } from './head.ts';
import { HintLimiter } from './hint-limiter.ts';
import type { KeyLayout } from './key-layout.ts';
import { isForeignName, type PrefixIndex } from './read.ts';

export type WatchedKind = 'services' | 'endpoints';

export type WakeUp =
  | { readonly kind: 'head'; readonly stored: StoredValue | undefined }
  /** Read after a hint that it moved: it may be older than what a blocking query returned meanwhile. */
  | { readonly kind: 'hinted-head'; readonly head: Head; readonly stored: StoredValue }
  /** A key below `services/` or `endpoints/` changed at `present.index`; the query began behind index `after`. */
  | {
      readonly kind: 'names';
      readonly of: WatchedKind;
      readonly present: PrefixIndex;
      readonly after: number;
      readonly heldMs: number;
    }
  /** An index fell: the store lost its data, or only its memory of deletions. */
  | { readonly kind: 'backwards' }
  | { readonly kind: 'foreign-keys'; readonly names: readonly string[] }
  | { readonly kind: 'missed-write' }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Where the blocking queries begin. */
export interface WatchIndexes {
  readonly head: number;
  readonly services: PrefixIndex;
  readonly endpoints: PrefixIndex;
}

// A store whose index goes back and forth responds to every query at once.
const afterBackwardsMs = 100;
// No query watches keys outside the layout; one small request every 10 s finds them.
const foreignKeysEveryMs = 10_000;

/**
 * Blocking queries on `head` and on the one-level names below `services/` and `endpoints/`, some hundred bytes each, and
 * a queue of what they returned. Runs until its signal aborts; a failed query ends with a last wake-up.
 */
export class RegistryWatch {
  readonly #store: KeyValueStore;
  readonly #layout: KeyLayout;
  readonly #signal: AbortSignal;
  readonly #queue: WakeUp[] = [];
  readonly #from: WatchIndexes;
  #wake: (() => void) | undefined;

  constructor(store: KeyValueStore, layout: KeyLayout, from: WatchIndexes, signal: AbortSignal) {
    this.#store = store;
    this.#layout = layout;
    this.#from = from;
    this.#signal = signal;
  }

  /** Resolves when every query has ended, after the signal aborted. Never rejects. */
  async run(): Promise<void> {
    await Promise.all([
      this.#untilFailure(() => this.#watchHead()),
      this.#untilFailure(() => this.#watchNames('services')),
      this.#untilFailure(() => this.#watchNames('endpoints')),
      this.#untilFailure(() => this.#pollForeignKeys()),
    ]);
  }

  /**
   * Reads `head` when a hint reports that it is past `known()`, without waiting for the store's own response. A hint that comes
   * during a read, or too soon after one, causes the next. Only a head of the same registry that did move is queued;
   * everything else is left to the blocking queries. Never rejects.
   */
  async takeHints(hints: HeadHints, known: () => Head): Promise<void> {
    const limiter = new HintLimiter();
    let hinted = Number.NEGATIVE_INFINITY;
    let wake: (() => void) | undefined;
    const unsubscribe = hints.subscribe((sequence) => {
      hinted = Math.max(hinted, sequence);
      wake?.();
    });
    this.#signal.addEventListener('abort', () => wake?.(), { once: true });
    while (!this.#signal.aborted) {
      if (hinted <= known().sequence) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const restMs = limiter.restMs(performance.now());
      if (restMs > 0) await pause(restMs, this.#signal);
      else {
        limiter.readBegins(performance.now());
        const sequence = hinted;
        hinted = Number.NEGATIVE_INFINITY;
        limiter.wasRead(await this.#readHinted(sequence, known));
      }
    }
    unsubscribe();
  }

  /** Whether `head` had reached that sequence, or had moved at least. */
  async #readHinted(sequence: number, known: () => Head): Promise<boolean> {
    try {
      const stored = await this.#store.get(this.#layout.head, this.#signal);
      const head = stored === undefined ? undefined : parseHead(stored.value);
      const before = known();
      if (stored === undefined || head?.registryId !== before.registryId) return false;
      const hasMoved = head.sequence > before.sequence;
      if (hasMoved) this.#add({ kind: 'hinted-head', head, stored });
      return hasMoved || head.sequence >= sequence;
    } catch {
      // Whether the store is away is reported by the blocking queries.
      return false;
    }
  }

  /** Queues a wake-up when the search found something, or failed. Never rejects. */
  takeSearch(search: Promise<boolean>): Promise<void> {
    return this.#untilFailure(async () => {
      if (await search) this.#add({ kind: 'missed-write' });
    });
  }

  /** The oldest wake-up; `undefined` when the clock (`performance.now()`) is past `untilMs`, or the signal aborts. */
  async next(untilMs: number): Promise<WakeUp | undefined> {
    if (this.#queue.length === 0 && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.#signal.removeEventListener('abort', wake);
          this.#wake = undefined;
          resolve();
        };
        const leftMs = Math.max(0, Math.ceil(untilMs - performance.now()));
        const timer = Number.isFinite(untilMs) ? setTimeout(wake, leftMs) : undefined;
        this.#signal.addEventListener('abort', wake, { once: true });
        this.#wake = wake;
      });
    }
    return this.#signal.aborted ? undefined : this.#queue.shift();
  }

  #add(wakeUp: WakeUp): void {
    // Only the newest head counts: its journal holds what the older ones held.
    const older = wakeUp.kind === 'head' ? this.#queue.findIndex(({ kind }) => kind === 'head') : -1;
    if (older >= 0) this.#queue.splice(older, 1);
    this.#queue.push(wakeUp);
    this.#wake?.();
  }

  async #untilFailure(watch: () => Promise<void>): Promise<void> {
    try {
      await watch();
    } catch (error) {
      if (!this.#signal.aborted) this.#add({ kind: 'failed', error });
    }
  }

  async #watchHead(): Promise<void> {
    let index = this.#from.head;
    let modified = index;
    while (!this.#signal.aborted) {
      const response = await this.#store.waitForKey(this.#layout.head, index, this.#signal);
      if (response.index < index) await this.#wentBackwards();
      index = response.index;
      // Equal data is no change, whatever the index is.
      if ((response.data?.index ?? 0) === modified) continue;
      modified = response.data?.index ?? 0;
      this.#add({ kind: 'head', stored: response.data });
    }
  }

  async #watchNames(of: WatchedKind): Promise<void> {
    let present = this.#from[of];
    while (!this.#signal.aborted) {
      const before = present;
      const beganMs = performance.now();
      const response = await this.#store.waitForNames(this.#layout[of], before.index, this.#signal);
      present = { index: response.index, isEmpty: response.data.length === 0 };
      if (response.index < before.index) await this.#wentBackwards();
      // Consul responds to a query on an empty prefix after writes anywhere: from nothing to nothing is no change.
      else if (response.index > before.index && !(present.isEmpty && before.isEmpty)) {
        this.#add({ kind: 'names', of, present, after: before.index, heldMs: performance.now() - beganMs });
      }
    }
  }

  async #wentBackwards(): Promise<void> {
    this.#add({ kind: 'backwards' });
    await pause(afterBackwardsMs, this.#signal);
  }

  async #pollForeignKeys(): Promise<void> {
    while (await pause(foreignKeysEveryMs, this.#signal)) {
      const names = await this.#store.keys(this.#layout.prefix, '/', this.#signal);
      this.#add({ kind: 'foreign-keys', names: names.data.filter((name) => isForeignName(this.#layout, name)) });
    }
  }
}
