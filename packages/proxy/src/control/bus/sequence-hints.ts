import type { HeadHints } from '@swarmgate/registry';

/** Passes hints about the journal to the follower. */
export class SequenceHints implements HeadHints {
  readonly #listeners = new Set<(sequence: number) => void>();
  #latest: number | undefined;

  publish(sequence: number): void {
    this.#latest = sequence;
    for (const listener of this.#listeners) listener(sequence);
  }

  subscribe(listener: (sequence: number) => void): () => void {
    this.#listeners.add(listener);
    // A full read has no listener, and may have begun before the hint: what it read is compared with the hint afterwards.
    if (this.#latest !== undefined) listener(this.#latest);
    return () => this.#listeners.delete(listener);
  }
}
