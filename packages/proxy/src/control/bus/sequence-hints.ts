import type { HeadHints } from '@swarmgate/registry';

/** Passes hints about the journal to the follower. */
export class SequenceHints implements HeadHints {
  readonly #listeners = new Set<(sequence: number) => void>();

  tell(sequence: number): void {
    for (const listener of this.#listeners) listener(sequence);
  }

  subscribe(listener: (sequence: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
