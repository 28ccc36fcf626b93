import { pause } from '@swarmgate/runtime';
import type { HeadHints } from '../registry.ts';
import type { Indexed, KeyValueStore, StoredValue } from '../store/key-value-store.ts';
import { type Head, parseHead } from './head.ts';
import { HintJudge } from './head-hints.ts';
import type { KeyLayout } from './key-layout.ts';
import { isForeignName, type NamesMark } from './read.ts';

export type Ring =
  | { readonly kind: 'head'; readonly stored: StoredValue | undefined }
  /** Read because somebody said that it moved: it may be older than what a wait told meanwhile. */
  | { readonly kind: 'hinted-head'; readonly head: Head; readonly stored: StoredValue }
  /** Something beneath `services/` or `endpoints/` changed at this index; `after` is where the wait began. */
  | { readonly kind: 'names'; readonly index: number; readonly after: number; readonly heldMs: number }
  /** An index fell: a store that started anew, or one that merely forgot its deletions. */
  | { readonly kind: 'backwards' }
  | { readonly kind: 'foreign-keys'; readonly names: readonly string[] }
  | { readonly kind: 'hidden-edit' }
  | { readonly kind: 'failed'; readonly error: unknown };

export interface BellMarks {
  readonly head: number;
  readonly services: NamesMark;
  readonly endpoints: NamesMark;
}

// Nothing rings for keys that are nobody's; one small question now and then finds them.
const foreignKeysEveryMs = 10_000;

/**
 * Blocks on `head` and on the one-level names beneath `services/` and `endpoints/`, some hundred bytes each, and queues
 * what rings. Lives until its signal aborts; a failed wait ends it with a last ring.
 */
export class Doorbells {
  readonly #store: KeyValueStore;
  readonly #layout: KeyLayout;
  readonly #signal: AbortSignal;
  readonly #rings: Ring[] = [];
  #wake: (() => void) | undefined;

  constructor(store: KeyValueStore, layout: KeyLayout, signal: AbortSignal) {
    this.#store = store;
    this.#layout = layout;
    this.#signal = signal;
  }

  /** Resolves when every wait has ended, after the signal aborted. Never rejects. */
  async run(marks: BellMarks): Promise<void> {
    await Promise.all([
      this.#untilFailure(() => this.#blockOnHead(marks.head)),
      this.#untilFailure(() => this.#blockOnNames(this.#layout.services, marks.services)),
      this.#untilFailure(() => this.#blockOnNames(this.#layout.endpoints, marks.endpoints)),
      this.#untilFailure(() => this.#askForForeignKeys()),
    ]);
  }

  /**
   * Looks at `head` when somebody says that it has come further than `known()`, without waiting for the store to tell.
   * Only a head of the same registry that did move rings: everything else is left to the waits, which are not hearsay.
   */
  async takeHints(hints: HeadHints, known: () => { readonly registryId: string; readonly sequence: number }) {
    const judge = new HintJudge();
    let looking: Promise<void> | undefined;
    const look = async () => {
      try {
        const stored = await this.#store.get(this.#layout.head, this.#signal);
        const head = stored === undefined ? undefined : parseHead(stored.value);
        const { registryId, sequence } = known();
        const moved = head?.registryId === registryId && head.sequence > sequence;
        judge.looked(moved);
        if (moved && stored !== undefined) this.#ring({ kind: 'hinted-head', head, stored });
      } catch {
        // The waits find out by themselves whether the store is away.
        judge.looked(false);
      } finally {
        looking = undefined;
      }
    };
    const unsubscribe = hints.subscribe((sequence) => {
      if (looking !== undefined || this.#signal.aborted) return;
      if (judge.mayLook(sequence, known().sequence, performance.now())) looking = look();
    });
    await new Promise<void>((resolve) => {
      if (this.#signal.aborted) resolve();
      else this.#signal.addEventListener('abort', () => resolve(), { once: true });
    });
    unsubscribe();
    await looking;
  }

  /** Rings when the search ends with something found, or fails. Never rejects. */
  ringWhenFound(search: Promise<boolean>): Promise<void> {
    return this.#untilFailure(async () => {
      if (await search) this.#ring({ kind: 'hidden-edit' });
    });
  }

  /** What rang longest ago; `undefined` when the clock (`performance.now()`) is past `untilMs`, or the signal aborts. */
  async next(untilMs: number): Promise<Ring | undefined> {
    if (this.#rings.length === 0 && !this.#signal.aborted) {
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
    return this.#signal.aborted ? undefined : this.#rings.shift();
  }

  #ring(ring: Ring): void {
    // Only the newest head matters: its journal holds what the older ones said.
    const older = ring.kind === 'head' ? this.#rings.findIndex((queued) => queued.kind === 'head') : -1;
    if (older >= 0) this.#rings.splice(older, 1);
    this.#rings.push(ring);
    this.#wake?.();
  }

  async #untilFailure(block: () => Promise<void>): Promise<void> {
    try {
      await block();
    } catch (error) {
      if (!this.#signal.aborted) this.#ring({ kind: 'failed', error });
    }
  }

  async #blockOnHead(from: number): Promise<void> {
    let present: { readonly index: number; readonly modified: number } = { index: from, modified: from };
    while (!this.#signal.aborted) {
      const answer = await this.#store.waitForKey(this.#layout.head, present.index, this.#signal);
      if (answer.index < present.index) this.#ring({ kind: 'backwards' });
      // Equal data is nothing new, whatever the index says.
      const modified = answer.data?.index ?? 0;
      if (modified !== present.modified) this.#ring({ kind: 'head', stored: answer.data });
      present = { index: answer.index, modified };
    }
  }

  async #blockOnNames(prefix: string, from: NamesMark): Promise<void> {
    let present = from;
    while (!this.#signal.aborted) {
      const beganMs = performance.now();
      const answer: Indexed<readonly string[]> = await this.#store.waitForNames(prefix, present.index, this.#signal);
      const empty = answer.data.length === 0;
      if (answer.index < present.index) this.#ring({ kind: 'backwards' });
      // Consul wakes whoever waits on an empty prefix for writes anywhere: from nothing to nothing is no change.
      else if (answer.index > present.index && !(empty && present.empty)) {
        const heldMs = performance.now() - beganMs;
        this.#ring({ kind: 'names', index: answer.index, after: present.index, heldMs });
      }
      present = { index: answer.index, empty };
    }
  }

  async #askForForeignKeys(): Promise<void> {
    while (await pause(foreignKeysEveryMs, this.#signal)) {
      const names = await this.#store.keys(this.#layout.prefix, '/', this.#signal);
      this.#ring({ kind: 'foreign-keys', names: names.data.filter((name) => isForeignName(this.#layout, name)) });
    }
  }
}
