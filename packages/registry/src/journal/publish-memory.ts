import type { ServiceKey } from '@swarmgate/labels';
import type { StoredValue } from '../store/key-value-store.ts';
import type { Head } from './head.ts';

/** `head` as it stands in the store. */
export interface PresentHead {
  readonly head: Head;
  /** 0: there is none yet. */
  readonly index: number;
}

// Some 8,000 definitions of an ordinary size. Beyond that the values written longest ago are read again.
const mostRememberedCharacters = 8 * 1024 * 1024;
const mostRememberedHistories = 50_000;

/**
 * What this process wrote, read or was notified of last, so that a publication need not read it again: three reads fewer
 * for each change, each of which may come late. It may be out of date at any time: a plan made from it is
 * written by comparison, or checked with a read before the result is that nothing has to be written.
 */
export class PublishMemory {
  readonly #values = new Map<string, StoredValue>();
  readonly #historyNumbers = new Map<ServiceKey, readonly number[]>();
  readonly #removals = new Map<string, number>();
  #head: PresentHead | undefined;
  #characters = 0;

  get head(): PresentHead | undefined {
    return this.#head;
  }

  /** Read or written by ourselves: this is how it stands, whatever we knew. */
  setHead(head: PresentHead | undefined): void {
    this.#head = head;
  }

  /** Reported by a wait, perhaps after we wrote a newer one ourselves. */
  sawHead(head: Head, index: number): void {
    if (this.#head === undefined || index > this.#head.index) this.#head = { head, index };
  }

  value(key: string): StoredValue | undefined {
    return this.#values.get(key);
  }

  setValue(stored: StoredValue): void {
    this.forgetValue(stored.key);
    this.#values.set(stored.key, stored);
    this.#characters += stored.value.length;
    for (const key of this.#values.keys()) {
      if (this.#characters <= mostRememberedCharacters) return;
      this.forgetValue(key);
    }
  }

  forgetValue(key: string): void {
    const known = this.#values.get(key);
    if (known === undefined) return;
    this.#values.delete(key);
    this.#characters -= known.value.length;
  }

  /** Numbers of the service's history entries; `undefined`: not known, which is not the same as none. */
  historyNumbers(service: ServiceKey): readonly number[] | undefined {
    return this.#historyNumbers.get(service);
  }

  setHistoryNumbers(service: ServiceKey, numbers: readonly number[]): void {
    this.#historyNumbers.delete(service);
    this.#historyNumbers.set(service, numbers);
    for (const oldest of this.#historyNumbers.keys()) {
      if (this.#historyNumbers.size <= mostRememberedHistories) return;
      this.#historyNumbers.delete(oldest);
    }
  }

  forgetHistory(service: ServiceKey): void {
    this.#historyNumbers.delete(service);
  }

  /** Whether it is time to look after so many more removals: after the first of an owner, and then after each `every`. */
  countRemovals(owner: string, removals: number, every: number): boolean {
    const since = (this.#removals.get(owner) ?? every) + removals;
    this.#removals.set(owner, since > every ? 0 : since);
    return since > every;
  }

  /** The registry is another one, or was away: nothing is known of it. */
  clear(): void {
    this.#values.clear();
    this.#historyNumbers.clear();
    this.#head = undefined;
    this.#characters = 0;
  }
}
