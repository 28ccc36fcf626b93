import { randomUUID } from 'node:crypto';
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '@swarmgate/runtime';
import { RegistryError } from '../registry-error.ts';
import { ChangeWatches } from './change-watches.ts';
import { EmbeddedTable } from './embedded-table.ts';
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
 * reason, with nothing applied. Reads and waits go on, and writes succeed again as soon as the disk takes them. A slow
 * disk delays writes and the reads behind them, and nothing else of the process: the table has a thread of its own.
 * @throws RegistryError `registry-held` when another process has it open, `registry-refused` when the file is unusable.
 */
export function openEmbeddedStore(options: EmbeddedStoreOptions, thread?: URL): KeyValueStore {
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const holderFile = join(options.dataDir, holderFileName);
  const file = join(options.dataDir, fileName);
  let table: EmbeddedTable;
  try {
    makePrivate(file);
    table = new EmbeddedTable(file, thread);
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
  return new EmbeddedStore(options, table);
}

/** SQLite gives its log the mode of the database file, so that one has to exist with the right mode first. */
function makePrivate(file: string): void {
  // Never opened where it exists: closing a descriptor would release the locks that this process holds on the file.
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
  // The first version left these world-readable.
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
  readonly #table: EmbeddedTable;
  readonly #watches = new ChangeWatches();
  readonly #sessions = new Map<string, Session>();
  readonly #leastSessionTtlMs: number | undefined;
  readonly #betweenRetriesMs: number;
  /** Ended sessions whose keys could not be released yet, because the disk refused the write. */
  readonly #unreleased = new Set<string>();
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: EmbeddedStoreOptions, table: EmbeddedTable) {
    this.description = `embedded in ${options.dataDir}`;
    this.#table = table;
    table.onChanged((keys, index) => this.#watches.changed(keys, index));
    this.#leastSessionTtlMs = options.leastSessionTtlMs;
    this.#betweenRetriesMs = options.betweenRetriesMs ?? 1_000;
    for (const session of table.lockingSessions) this.#endSoon(session);
  }

  async get(key: string, signal?: AbortSignal): Promise<StoredValue | undefined> {
    const [stored] = await this.#on(signal, (table) => table.get([key]));
    return stored;
  }

  async getMany(keys: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, StoredValue>> {
    checkKeyCount(keys);
    const found = await this.#on(signal, (table) => table.get(keys));
    return new Map(found.filter((stored) => stored !== undefined).map((stored) => [stored.key, stored]));
  }

  async list(prefix: string, signal?: AbortSignal): Promise<Indexed<readonly StoredValue[]>> {
    const name = this.#watchPrefix(prefix);
    const data = await this.#on(signal, (table) => table.list(prefix));
    return { index: this.#indexOf(name), data };
  }

  async keys(prefix: string, separator: string | undefined, signal?: AbortSignal): Promise<Indexed<readonly string[]>> {
    const name = this.#watchPrefix(prefix);
    const data = await this.#on(signal, (table) => table.names(prefix, separator));
    return { index: this.#indexOf(name), data };
  }

  async waitForKey(key: string, afterIndex: number, signal: AbortSignal): Promise<Indexed<StoredValue | undefined>> {
    const name = this.#watches.keyWatch(key, this.#table.index);
    await this.#watches.wait(name, afterIndex, holdMs, signal);
    const data = await this.get(key, signal);
    return { index: this.#indexOf(name), data };
  }

  async waitForNames(prefix: string, afterIndex: number, signal: AbortSignal): Promise<Indexed<readonly string[]>> {
    await this.#watches.wait(this.#watchPrefix(prefix), afterIndex, holdMs, signal);
    return this.keys(prefix, '/', signal);
  }

  async transact(operations: readonly Operation[], signal?: AbortSignal): Promise<TransactionResult> {
    checkOperations(operations);
    return this.#on(signal, (table) => table.transact(operations));
  }

  async createSession(options: SessionOptions, signal?: AbortSignal): Promise<string> {
    checkSessionTtl(options.ttlMs, this.#leastSessionTtlMs);
    const id = randomUUID();
    const { behavior, ttlMs } = options;
    await this.#on(signal, (table) => table.openSession(id, behavior));
    this.#sessions.set(id, { ttlMs, expiry: this.#expireLater(id, ttlMs) });
    return id;
  }

  async renewSession(id: string, signal?: AbortSignal): Promise<boolean> {
    this.#checkOpen(signal);
    const session = this.#sessions.get(id);
    if (session === undefined) return false;
    clearTimeout(session.expiry);
    session.expiry = this.#expireLater(id, session.ttlMs);
    return true;
  }

  async destroySession(id: string, signal?: AbortSignal): Promise<void> {
    return this.#on(signal, () => this.#endSession(id));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // What cannot be written now is done when the file is opened again, where no session is alive.
    await Promise.allSettled([...this.#sessions.keys()].map((id) => this.#endSession(id)));
    clearTimeout(this.#retry);
    this.#watches.close();
    await this.#table.close();
  }

  #expireLater(id: string, ttlMs: number): NodeJS.Timeout {
    // A session does not keep the process alive; the task that renews it does.
    return setTimeout(() => this.#endSoon(id), ttlMs).unref();
  }

  /** Rejects with the driver's error; the session has ended all the same, and a later attempt releases its keys. */
  async #endSession(id: string): Promise<void> {
    clearTimeout(this.#sessions.get(id)?.expiry);
    this.#sessions.delete(id);
    // Added first: whatever happens below, the keys are not forgotten.
    this.#unreleased.add(id);
    try {
      await this.#table.endSession(id);
      this.#unreleased.delete(id);
    } catch (error) {
      if (!this.#closed) this.#retry ??= setTimeout(() => this.#releaseRest(), this.#betweenRetriesMs).unref();
      throw error;
    }
  }

  /** As `#endSession`, where no caller waits for its failure: the timer that it has set tries again. */
  #endSoon(id: string): void {
    this.#endSession(id).catch(() => undefined);
  }

  #releaseRest(): void {
    this.#retry = undefined;
    for (const id of [...this.#unreleased]) this.#endSoon(id);
  }

  /** Watches from now on, so that a wait which begins with this index wakes for changes below the prefix alone. */
  #watchPrefix(prefix: string): string {
    return this.#watches.prefixWatch(prefix, this.#table.index);
  }

  /** After a response of the table: every change before it has reached the watches, and none after it. */
  #indexOf(watch: string): number {
    return this.#watches.indexOf(watch) ?? this.#table.index;
  }

  #checkOpen(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#closed) throw RegistryError.of('registry-unreachable', `the registry ${this.description} was closed`);
  }

  async #on<T>(signal: AbortSignal | undefined, act: (table: EmbeddedTable) => Promise<T>): Promise<T> {
    this.#checkOpen(signal);
    try {
      return await withSignal(act(this.#table), signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof RegistryError) throw error;
      throw RegistryError.of('registry-unreachable', `the registry ${this.description}: ${messageOf(error)}`, error);
    }
  }
}

/** Rejects when the signal aborts; the operation is still carried out. */
async function withSignal<T>(response: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return response;
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([response, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
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
