import { RegistryError } from '@swarmgate/registry';

/**
 * Requests for a full read, as the registry's follower takes them, and the promises of their callers. A request
 * that comes while a read is under way waits for the next one: that read may have begun before the change they need.
 */
export class FullReads implements AsyncIterable<void> {
  #current: PromiseWithResolvers<void> | undefined;
  #next: PromiseWithResolvers<void> | undefined;
  #wake: (() => void) | undefined;
  #requested = false;

  /** Resolves when everything was read again and is served. @throws RegistryError when the registry is away. */
  request(): Promise<void> {
    if (this.#current === undefined) {
      this.#current = Promise.withResolvers();
      this.#wakeReader();
      return this.#current.promise;
    }
    this.#next ??= Promise.withResolvers();
    return this.#next.promise;
  }

  /** The registry was read because a reload was requested. */
  done(): void {
    this.#current?.resolve();
    this.#current = this.#next;
    this.#next = undefined;
    if (this.#current !== undefined) this.#wakeReader();
  }

  /**
   * Repeats the requests that are still open. To be called before each wait for the next change: a follower takes requests
   * that reach it while it reads for another reason as served by that read, which may have begun before them.
   */
  repeat(): void {
    setImmediate(() => {
      if (this.#current !== undefined) this.#wakeReader();
    });
  }

  failed(error: Error): void {
    const failure = RegistryError.of('registry-unreachable', `the full read failed: ${error.message}`, error);
    this.#current?.reject(failure);
    this.#next?.reject(failure);
    this.#current = undefined;
    this.#next = undefined;
  }

  // By hand instead of a generator: one that waits inside cannot be ended from outside.
  [Symbol.asyncIterator](): AsyncIterator<void, void> {
    let ended = false;
    return {
      next: async () => {
        while (!this.#requested && !ended) {
          const woken = Promise.withResolvers<void>();
          this.#wake = woken.resolve;
          await woken.promise;
        }
        if (ended) return { done: true, value: undefined };
        this.#requested = false;
        return { done: false, value: undefined };
      },
      return: () => {
        ended = true;
        this.#wake?.();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  #wakeReader(): void {
    this.#requested = true;
    this.#wake?.();
  }
}
