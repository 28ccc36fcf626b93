import type { KeyValueStore } from '../store/key-value-store.ts';
import type { KeyLayout } from './key-layout.ts';
import type { PublishMemory } from './publish-memory.ts';

/** One registry: where it stands, and what this process knows of it. */
export interface JournalContext {
  readonly store: KeyValueStore;
  readonly layout: KeyLayout;
  readonly memory: PublishMemory;
}
