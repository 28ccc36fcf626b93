import { type KeyValueStore, RegistryError } from '@swarmgate/registry';
import { backoffMs, type Logger, pause, type Running, Tasks } from '@swarmgate/runtime';
import { type HeadMark, markOf } from './acme-head.ts';
import { type AcmeKeys, digestOf, isFollowed, isRestorable } from './acme-keys.ts';
import type { DocumentFolder } from './document-folder.ts';
import { type AcmeHead, type ChallengeResponse, headSchema, readDocument } from './documents.ts';

/** What every replica has: documents by key below `acme/`, and the responses to pending challenges. */
export interface AcmeView {
  readonly documents: ReadonlyMap<string, string>;
  readonly responses: readonly ChallengeResponse[];
}

export interface AcmeFollowerOptions {
  readonly store: KeyValueStore;
  readonly keys: AcmeKeys;
  /** Where documents are kept for a start without the registry. */
  readonly folder: DocumentFolder;
  readonly logger: Logger;
  /** Puts a view in force; resolves when every worker of this replica serves it. */
  readonly apply: (view: AcmeView) => Promise<void>;
  /** This replica serves everything up to that mark. */
  readonly onServed: (mark: HeadMark) => void;
  /** The registry lacks documents that this replica has: it was lost. */
  readonly onMissing: (documents: ReadonlyMap<string, string>) => void;
}

/** Read at once; the registry's own limit is 64. */
const mostKeysAtOnce = 64;
/** How long documents stay that a new head does not list, in milliseconds. */
const keepMs = 15_000;

/**
 * Follows certificates, names and challenge responses with one blocking query on the head; reads the documents that
 * changed and nothing else. What cannot be read keeps what was there: a registry that is away or was lost takes no
 * certificate out of service.
 */
export class AcmeFollower implements Running {
  readonly #options: AcmeFollowerOptions;
  readonly #stopping = new AbortController();
  readonly #documents = new Map<string, string>();
  #responses: readonly ChallengeResponse[] = [];
  #offer: { readonly headId: string; readonly untilMs: number } | undefined;
  #following: Promise<void> | undefined;

  constructor(options: AcmeFollowerOptions) {
    this.#options = options;
  }

  view(): AcmeView {
    return { documents: this.#documents, responses: this.#responses };
  }

  /** Serves what the folder holds, then follows the registry. */
  async start(): Promise<void> {
    for (const [key, value] of await this.#options.folder.read()) this.#documents.set(key, value);
    if (this.#documents.size > 0) await this.#options.apply(this.view());
    const { signal } = this.#stopping;
    const tasks = new Tasks({ logger: this.#options.logger });
    this.#following ??= tasks.run('certificates-following', signal, () => this.#follow(signal));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#following;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { store, keys, logger } = this.#options;
    let index = 0;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const found = await store.waitForKey(keys.head, index, signal);
        const same = found.index === index;
        // Backwards: the store started over, so its old index means nothing.
        index = found.index < index ? 0 : found.index;
        if (!same) await this.#take(readDocument(headSchema, found.data?.value), signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        index = 0;
        const known = error instanceof RegistryError;
        if (failures === 0 || !known) logger.warn({ err: error }, 'certificates cannot be followed');
        await pause(backoffMs(failures, 250, 5_000), signal);
        failures += 1;
      }
    }
  }

  async #take(head: AcmeHead | undefined, signal: AbortSignal): Promise<void> {
    const { apply, onServed, onMissing } = this.#options;
    if (head === undefined) {
      const offered = [...this.#documents].filter(([key]) => isRestorable(key));
      if (offered.length > 0) onMissing(new Map(offered));
      return;
    }
    const listed = Object.entries(head.documents).filter(([key]) => isFollowed(key));
    const changed = listed.filter(([key, digest]) => digestOf(this.#documents.get(key) ?? '') !== digest);
    const read = await this.#read(
      changed.map(([key]) => key),
      signal,
    );
    const gone = [...this.#documents.keys()].filter((key) => head.documents[key] === undefined);
    const kept = this.#keptFor(head.id, gone);
    const removed = gone.filter((key) => !kept.has(key));
    for (const [key, value] of read) this.#documents.set(key, value);
    for (const key of removed) this.#documents.delete(key);
    this.#responses = head.answers;
    await apply(this.view());
    onServed(markOf(head));
    await this.#options.folder.write(read, removed);
  }

  /**
   * The first head that is seen, or one of a registry that was lost and made again, may list less than this replica has:
   * its certificates and accounts stay until the orderer had time to take them over.
   */
  #keptFor(headId: string, gone: readonly string[]): ReadonlySet<string> {
    if (this.#offer?.headId !== headId) {
      this.#offer = { headId, untilMs: performance.now() + keepMs };
      const offered = gone.filter(isRestorable);
      if (offered.length > 0)
        this.#options.onMissing(new Map(offered.map((key) => [key, this.#documents.get(key) ?? ''])));
    }
    return new Set(performance.now() < this.#offer.untilMs ? gone.filter(isRestorable) : []);
  }

  async #read(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const { store, keys } = this.#options;
    const found = new Map<string, string>();
    for (let at = 0; at < names.length; at += mostKeysAtOnce) {
      const required = names.slice(at, at + mostKeysAtOnce);
      const stored = await store.getMany(
        required.map((name) => keys.prefix + name),
        signal,
      );
      for (const { key, value } of stored.values()) found.set(key.slice(keys.prefix.length), value);
    }
    return found;
  }
}
