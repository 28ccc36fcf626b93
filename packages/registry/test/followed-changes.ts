import type { FollowOptions, Registry, RegistryChange } from '../src/registry.ts';

/** Follows a registry and hands its changes out in order, so that a test can await the next one. */
export class FollowedChanges {
  readonly #changes: RegistryChange[] = [];
  readonly #stopping = new AbortController();
  readonly #following: Promise<void>;
  #wake: (() => void) | undefined;

  constructor(registry: Registry, options: Omit<FollowOptions, 'signal'> = {}) {
    this.#following = this.#follow(registry, options);
  }

  /** The next change that was not returned yet. @throws after twenty seconds without one. */
  async next(withinMs = 20_000): Promise<RegistryChange> {
    const deadline = AbortSignal.timeout(withinMs);
    while (this.#changes.length === 0) {
      if (deadline.aborted) throw new Error(`no change within ${withinMs} ms`);
      await new Promise<void>((resolve) => {
        const wake = () => {
          deadline.removeEventListener('abort', wake);
          resolve();
        };
        this.#wake = wake;
        deadline.addEventListener('abort', wake, { once: true });
      });
    }
    return this.#changes.shift() as RegistryChange;
  }

  /** As `next`, of that kind. @throws when it is another one. */
  async nextOf<K extends RegistryChange['kind']>(
    kind: K,
    withinMs?: number,
  ): Promise<Extract<RegistryChange, { readonly kind: K }>> {
    const change = await this.next(withinMs);
    if (change.kind !== kind) throw new Error(`expected ${kind}, not ${JSON.stringify(change)}`);
    return change as Extract<RegistryChange, { readonly kind: K }>;
  }

  /** What came and was not requested. */
  get waiting(): readonly RegistryChange[] {
    return this.#changes;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#following;
  }

  async #follow(registry: Registry, options: Omit<FollowOptions, 'signal'>): Promise<void> {
    for await (const change of registry.follow({ ...options, signal: this.#stopping.signal })) {
      this.#changes.push(change);
      this.#wake?.();
    }
  }
}
