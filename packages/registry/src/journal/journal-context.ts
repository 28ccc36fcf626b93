import type { Logger } from '@swarmgate/runtime';
import type { JournalPosition } from '../registry.ts';
import type { KeyValueStore } from '../store/key-value-store.ts';
import { awaitedPosition, type Head } from './head.ts';
import type { KeyLayout } from './key-layout.ts';
import { PublishMemory } from './publish-memory.ts';

/** One registry: its store and keys, and what this process has read of it. */
export class JournalContext {
  readonly store: KeyValueStore;
  readonly layout: KeyLayout;
  readonly logger: Logger;
  readonly memory = new PublishMemory();
  #awaited: JournalPosition | undefined;

  constructor({ store, layout, logger }: Pick<JournalContext, 'store' | 'layout' | 'logger'>) {
    this.store = store;
    this.layout = layout;
    this.logger = logger;
  }

  /** See `Registry.awaitedPosition`. */
  get awaited(): JournalPosition | undefined {
    return this.#awaited;
  }

  /** A follower has read this head. */
  sawHead(head: Head, index: number): void {
    this.memory.sawHead(head, index);
    this.#awaited = awaitedPosition(head);
  }
}
