import { randomUUID } from 'node:crypto';
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '@swarmgate/runtime';
import { RegistryError } from '../registry-error.ts';
import { ChangeWatches } from './change-watches.ts';
import { type Committed, EmbeddedDatabase, type SessionBehavior } from './embedded-database.ts';
import type {
  Indexed,
  KeyValueStore,
  Operation,
  SessionOptions,
  StoredValue,
  TransactionResult,
} from './key-value-store.ts';
import { checkKeyCount, checkOperations, checkSessionTtl, holdMs } from './store-limits.ts';

export interface EmbeddedStoreOptions {
  /** Folder of the registry's file; made with mode 700 if it is missing. One process at a time may open it. */
  readonly dataDir: string;
  /** Shortest session; default 10_000, as in Consul. Tests of expiry set less. */
  readonly leastSessionTtlMs?: number;
  /** Between two attempts to write the end of a session while the disk refuses it. Default 1_000. */
  readonly betweenRetriesMs?: number;
}

interface Session {
  readonly behavior: SessionBehavior;
  readonly ttlMs: number;
  expiry: NodeJS.Timeout;
}

const fileName = 'registry.sqlite';
const holderFileName = 'registry.holder';
const sqliteBusy = 5;

/**
 * The registry in one file of this process. Crash-safe at any instant; sessions end with the process. Its files have
 * mode 600, because definitions hold password hashes.
 *
 * A disk that refuses writes (full, read-only, broken) fails each write with `registry-unreachable` and the driver's
 * reason, with nothing applied. Reads and waits go on, and writes succeed again as soon as the disk takes them.
 * @throws RegistryError `registry-held` when another process has it open, `registry-refused` when the file is unusable.
 */
export function openEmbeddedStore(options: EmbeddedStoreOptions): KeyValueStore {
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const holderFile = join(options.dataDir, holderFileName);
  const file = join(options.dataDir, fileName);
  let database: EmbeddedDatabase;
  try {
    makePrivate(file);
    database = new EmbeddedDatabase(file);
  } catch (error) {
    if (sqliteErrorCode(error) === sqliteBusy) {
      const holder = readHolder(holderFile);
      throw RegistryError.of(
        'registry-held',
        `the embedded registry in ${options.dataDir} is held by ${holder}; stop it or set another DATA_DIR`,
        error,
      );
    }
    throw RegistryError.of('registry-refused', `the embedded registry ${file} cannot be opened`, error);
  }
  writeHolder(holderFile);
  return embeddedStoreOver(database, options);
}

/** The store over a table that is open already, which it closes. */
export function embeddedStoreOver(database: EmbeddedDatabase, options: EmbeddedStoreOptions): KeyValueStore {
  return new EmbeddedStore(options, database);
}

/** SQLite gives its log the mode of the database file, so that one has to exist with the right mode first. */
function makePrivate(file: string): void {
  // Never opened where it exists: closing a descriptor would release the locks that this process holds on the file.
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
  // The first version left these readable for everybody.
  for (const each of [file, `${file}-wal`]) if (existsSync(each)) chmodSync(each, 0o600);
}

/** Only for the message of `registry-held`: the lock itself is the operating system's, on the database file. */
function writeHolder(holderFile: string): void {
  try {
    writeFileSync(holderFile, `process ${process.pid} on ${hostname()}`, { mode: 0o600 });
    chmodSync(holderFile, 0o600);
  } catch {
    // On a full disk the registry still opens, and the message names no process.
  }
}

class EmbeddedStore implements KeyValueStore {
  readonly kind = 'embedded';
  readonly description: string;
  readonly #database: EmbeddedDatabase;
  readonly #watches = new ChangeWatches();
  readonly #sessions = new Map<string, Session>();
  readonly #leastSessionTtlMs: number | undefined;
  readonly #betweenRetriesMs: number;
  /** Ended sessions whose keys could not be released yet, because the disk refused the write. */
  readonly #unreleased = new Set<string>();
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: EmbeddedStoreOptions, database: EmbeddedDatabase) {
    this.description = `embedded in ${options.dataDir}`;
    this.#database = database;
    this.#leastSessionTtlMs = options.leastSessionTtlMs;
    this.#betweenRetriesMs = options.betweenRetriesMs ?? 1_000;
    for (const session of database.lockingSessions()) this.#endSoon(session);
  }

  async get(key: string, signal?: AbortSignal): Promise<StoredValue | undefined> {
    return this.#on(signal, (database) => database.get(key));
  }

  async getMany(keys: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, StoredValue>> {
    checkKeyCount(keys);
    return this.#on(signal, (database) => {
      const found = new Map<string, StoredValue>();
      for (const key of keys) {
        const stored = database.get(key);
        if (stored !== undefined) found.set(key, stored);
      }
      return found;
    });
  }

  async list(prefix: string, signal?: AbortSignal): Promise<Indexed<readonly StoredValue[]>> {
    return this.#on(signal, (database) => ({ index: this.#prefixIndex(prefix), data: database.list(prefix) }));
  }

  async keys(prefix: string, separator: string | undefined, signal?: AbortSignal): Promise<Indexed<readonly string[]>> {
    return this.#on(signal, (database) => ({
      index: this.#prefixIndex(prefix),
      data: database.names(prefix, separator),
    }));
  }

  async waitForKey(key: string, afterIndex: number, signal: AbortSignal): Promise<Indexed<StoredValue | undefined>> {
    const name = this.#watches.keyWatch(key, this.#database.index);
    await this.#watches.wait(name, afterIndex, holdMs, signal);
    return this.#on(signal, (database) => ({
      index: this.#watches.indexOf(name) ?? database.index,
      data: database.get(key),
    }));
  }

  async waitForNames(prefix: string, afterIndex: number, signal: AbortSignal): Promise<Indexed<readonly string[]>> {
    const name = this.#watches.prefixWatch(prefix, this.#database.index);
    await this.#watches.wait(name, afterIndex, holdMs, signal);
    return this.keys(prefix, '/', signal);
  }

  async transact(operations: readonly Operation[], signal?: AbortSignal): Promise<TransactionResult> {
    checkOperations(operations);
    return this.#on(signal, (database) => {
      const committed: Committed = database.transact(operations, (id) => this.#sessions.get(id)?.behavior);
      this.#watches.changed(committed.changedKeys, committed.index);
      return committed.result;
    });
  }

  async createSession(options: SessionOptions, signal?: AbortSignal): Promise<string> {
    checkSessionTtl(options.ttlMs, this.#leastSessionTtlMs);
    return this.#on(signal, () => {
      const id = randomUUID();
      const { behavior, ttlMs } = options;
      this.#sessions.set(id, { behavior, ttlMs, expiry: this.#expireLater(id, ttlMs) });
      return id;
    });
  }

  async renewSession(id: string, signal?: AbortSignal): Promise<boolean> {
    return this.#on(signal, () => {
      const session = this.#sessions.get(id);
      if (session === undefined) return false;
      clearTimeout(session.expiry);
      session.expiry = this.#expireLater(id, session.ttlMs);
      return true;
    });
  }

  async destroySession(id: string, signal?: AbortSignal): Promise<void> {
    return this.#on(signal, () => this.#endSession(id));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    // What cannot be written now is done when the file is opened again, where no session is alive.
    for (const id of [...this.#sessions.keys()]) this.#endSoon(id);
    clearTimeout(this.#retry);
    this.#closed = true;
    this.#watches.close();
    this.#database.close();
  }

  #expireLater(id: string, ttlMs: number): NodeJS.Timeout {
    // A session does not keep the process alive; the task that renews it does.
    return setTimeout(() => this.#endSoon(id), ttlMs).unref();
  }

  /** @throws the driver's error; the session has ended all the same, and its keys are released by a later attempt */
  #endSession(id: string): void {
    clearTimeout(this.#sessions.get(id)?.expiry);
    this.#sessions.delete(id);
    // Added first: whatever happens below, the keys are not forgotten.
    this.#unreleased.add(id);
    try {
      const released = this.#database.endSession(id);
      this.#unreleased.delete(id);
      this.#watches.changed(released, this.#database.index);
    } catch (error) {
      this.#retry ??= setTimeout(() => this.#releaseRest(), this.#betweenRetriesMs).unref();
      throw error;
    }
  }

  /** As `#endSession`, where no caller waits for its failure. */
  #endSoon(id: string): void {
    try {
      this.#endSession(id);
    } catch {
      // The timer that `#endSession` has set tries again.
    }
  }

  #releaseRest(): void {
    this.#retry = undefined;
    for (const id of [...this.#unreleased]) this.#endSoon(id);
  }

  /** Watches from now on, so that a wait which begins with this index wakes for changes below the prefix alone. */
  #prefixIndex(prefix: string): number {
    const present = this.#database.index;
    return this.#watches.indexOf(this.#watches.prefixWatch(prefix, present)) ?? present;
  }

  #on<T>(signal: AbortSignal | undefined, act: (database: EmbeddedDatabase) => T): T {
    signal?.throwIfAborted();
    if (this.#closed) throw RegistryError.of('registry-unreachable', `the registry ${this.description} was closed`);
    try {
      return act(this.#database);
    } catch (error) {
      if (error instanceof RegistryError) throw error;
      throw RegistryError.of('registry-unreachable', `the registry ${this.description}: ${messageOf(error)}`, error);
    }
  }
}

function readHolder(holderFile: string): string {
  try {
    return readFileSync(holderFile, 'utf8');
  } catch {
    return 'another process';
  }
}

function sqliteErrorCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined;
}
