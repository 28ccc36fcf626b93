import type { Logger } from '@swarmgate/runtime';
import type { KeyValueStore } from '../store/key-value-store.ts';
import { awaitedSequence, type Head } from './head.ts';
import type { KeyLayout } from './key-layout.ts';
import { PublishMemory } from './publish-memory.ts';

/** One registry: its store and keys, and what this process has read of it. */
export class JournalContext {
  readonly store: KeyValueStore;
  readonly layout: KeyLayout;
  readonly logger: Logger;
  readonly memory = new PublishMemory();
  #awaited = 0;

  constructor({ store, layout, logger }: Pick<JournalContext, 'store' | 'layout' | 'logger'>) {
    this.store = store;
    this.layout = layout;
    this.logger = logger;
  }

  /** See `Registry.awaitedSequence`. */
  get awaited(): number {
    return this.#awaited;
  }

  /** A follower has read this head. */
  sawHead(head: Head, index: number): void {
    this.memory.sawHead(head, index);
    this.#awaited = awaitedSequence(head);
  }
}
