import { type KeyValueStore, type Operation, RegistryError } from '@swarmgate/registry';
import { backoffMs, type Logger, pause } from '@swarmgate/runtime';
import { type AcmeChange, type HeadMark, headAfter, markOf, newHead } from './acme-head.ts';
import type { AcmeKeys } from './acme-keys.ts';
import { type AcmeHead, headSchema, readDocument } from './documents.ts';

export interface FencedWriterOptions {
  readonly store: KeyValueStore;
  readonly keys: AcmeKeys;
  readonly fence: { readonly key: string; readonly session: string };
  readonly logger: Logger;
  /** Ends with the lock. */
  readonly signal: AbortSignal;
}

interface Queued {
  readonly change: AcmeChange;
  readonly done: PromiseWithResolvers<HeadMark>;
}

/** Beside fence and head; leaves room for both below the registry's 64. */
const mostDocumentsAtOnce = 40;
/** Of values in one transaction, well below the registry's 512 KiB as sent. */
const mostValueBytes = 200_000;

/**
 * Everything the orderer writes. Each transaction checks the lock's fence, so what a paused orderer writes late is
 * refused, and moves the head with the documents. Changes that come while one is on its way go together in the next. A
 * registry that is away is waited for as long as the lock may still be ours.
 */
export class FencedWriter {
  readonly #options: FencedWriterOptions;
  readonly #documents: Map<string, string>;
  readonly #queue: Queued[] = [];
  #head: AcmeHead;
  #headIndex: number;
  #isNew: boolean;
  #isFlushing = false;

  private constructor(
    options: FencedWriterOptions,
    documents: Map<string, string>,
    head: AcmeHead | undefined,
    index: number,
  ) {
    this.#options = options;
    this.#documents = documents;
    this.#head = head ?? newHead(documents);
    this.#isNew = head === undefined;
    this.#headIndex = index;
  }

  /** Reads what stands below `acme/`. @throws RegistryError */
  static async open(options: FencedWriterOptions): Promise<FencedWriter> {
    const { store, keys, signal } = options;
    const stored = await store.get(keys.head, signal);
    const documents = new Map<string, string>();
    const aside = new Set([keys.head, keys.lock, keys.lockHeartbeat]);
    for (const { key, value } of (await store.list(keys.prefix, signal)).data)
      if (!aside.has(key) && !key.startsWith(keys.inbox)) documents.set(key.slice(keys.prefix.length), value);
    const head = readDocument(headSchema, stored?.value);
    return new FencedWriter(options, documents, head, stored?.index ?? 0);
  }

  /** Whether the registry had no head that can be read: it is new, or was lost. */
  get isNew(): boolean {
    return this.#isNew;
  }

  /** What was read and written, by key below `acme/`. */
  get documents(): ReadonlyMap<string, string> {
    return this.#documents;
  }

  get responses(): AcmeHead['answers'] {
    return this.#head.answers;
  }

  /**
   * Resolves with the mark that replicas report when they serve the change.
   * @throws RegistryError `leadership-lost`; an aborted wait rejects with the signal's reason
   */
  write(change: AcmeChange): Promise<HeadMark> {
    const done = Promise.withResolvers<HeadMark>();
    this.#queue.push({ change, done });
    if (!this.#isFlushing) void this.#flush();
    return done.promise;
  }

  /** Never rejects: each caller gets what became of its own change. */
  async #flush(): Promise<void> {
    this.#isFlushing = true;
    // One turn later, so that changes of one moment go together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const together = this.#take();
      try {
        const mark = await this.#write(together.map(({ change }) => change));
        for (const { done } of together) done.resolve(mark);
      } catch (error) {
        for (const { done } of together) done.reject(error);
      }
    }
    // In the same turn as the look at the queue: a change that comes now begins another one.
    this.#isFlushing = false;
  }

  #take(): readonly Queued[] {
    let documents = 0;
    let bytes = 0;
    let at = 0;
    for (; at < this.#queue.length; at += 1) {
      const change = this.#queue[at]?.change;
      documents += change?.documents?.size ?? 0;
      for (const value of change?.documents?.values() ?? []) bytes += value?.length ?? 0;
      if (at > 0 && (documents > mostDocumentsAtOnce || bytes > mostValueBytes)) break;
    }
    return this.#queue.splice(0, at);
  }

  async #write(changes: readonly AcmeChange[]): Promise<HeadMark> {
    const { store, keys, fence, logger, signal } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      signal.throwIfAborted();
      const head = changes.reduce(headAfter, this.#head);
      const values = new Map(changes.flatMap(({ documents }) => [...(documents ?? [])]));
      const operations: Operation[] = [{ kind: 'check-session', ...fence }];
      // A head of its own even where nothing is followed: the first write makes it.
      if (head !== this.#head || this.isNew)
        operations.push({ kind: 'compare-and-set', key: keys.head, value: textOf(head), index: this.#headIndex });
      for (const [key, value] of values)
        operations.push(
          value === undefined
            ? { kind: 'delete', key: keys.prefix + key }
            : { kind: 'set', key: keys.prefix + key, value },
        );
      try {
        const result = await store.transact(operations, signal);
        if (result.ok) {
          this.#headIndex = result.written.get(keys.head) ?? this.#headIndex;
          this.#keep(head, values);
          return markOf(head);
        }
        if (result.failed.includes(0)) throw RegistryError.of('leadership-lost', `acme: ${result.reason}`);
      } catch (error) {
        if (!(error instanceof RegistryError) || error.code !== 'registry-unreachable') throw error;
        if (attempt === 0) logger.warn({ err: error }, 'the registry is away: the orderer waits for it');
        await pause(backoffMs(attempt, 100, 2_000), signal);
      }
      // Perhaps our own write was carried out and its response lost.
      if (await this.#wasWritten(head)) {
        this.#keep(head, values);
        return markOf(head);
      }
      // A head that moved is met by the second attempt; what is refused again and again is not repeated in a loop.
      if (attempt > 0) await pause(backoffMs(attempt, 100, 2_000), signal);
    }
  }

  #keep(head: AcmeHead, values: ReadonlyMap<string, string | undefined>): void {
    this.#head = head;
    this.#isNew = false;
    for (const [key, value] of values) {
      if (value === undefined) this.#documents.delete(key);
      else this.#documents.set(key, value);
    }
  }

  /** Reads the head again. Only the holder of the lock writes it, so a head with other contents was edited manually. */
  async #wasWritten(required: AcmeHead): Promise<boolean> {
    const { store, keys, signal } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        const stored = await store.get(keys.head, signal);
        this.#headIndex = stored?.index ?? 0;
        // Another head was edited manually, or is of a backup: it lists less of the documents than this writer has.
        return stored?.value === textOf(required) && required !== this.#head;
      } catch (error) {
        if (!(error instanceof RegistryError) || error.code !== 'registry-unreachable') throw error;
        await pause(backoffMs(attempt, 100, 2_000), signal);
      }
    }
  }
}

function textOf(head: AcmeHead): string {
  return JSON.stringify(head, undefined, 1);
}
