import { type FaultOwner, guardPromise } from '@swarmgate/runtime';
import type { ServicesMessage } from './messages.ts';

/** Keeps services in their order on the way into a worker: before its ports open, then one change after the other. */
export class UpdateQueue {
  readonly #waiting: ServicesMessage[] = [];
  #wake = Promise.withResolvers<void>();
  #open = false;
  #apply: ((message: ServicesMessage) => void) | undefined;
  #applying: Promise<void> = Promise.resolve();

  take(message: ServicesMessage): void {
    const apply = this.#apply;
    if (apply !== undefined) apply(message);
    else this.#waiting.push(message);
    this.#wake.resolve();
  }

  /** Everything that stands before the ports open has been taken. */
  open(): void {
    this.#open = true;
    this.#wake.resolve();
  }

  async *before(): AsyncGenerator<ServicesMessage> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) yield next;
      else if (this.#open) return;
      else {
        await this.#wake.promise;
        this.#wake = Promise.withResolvers();
      }
    }
  }

  /** From now on. What came since the ports opened goes first. The owner gets what applying one rejects with. */
  follow(apply: (message: ServicesMessage) => Promise<void>, owner: FaultOwner): void {
    this.#apply = (message) => {
      const applied = this.#applying.then(() => apply(message));
      guardPromise(owner, applied);
      this.#applying = applied.catch(() => undefined);
    };
    for (const message of this.#waiting.splice(0)) this.#apply(message);
  }
}
