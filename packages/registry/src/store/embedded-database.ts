import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Operation, SessionOptions, StoredValue, TransactionResult } from './key-value-store.ts';

export type SessionBehavior = SessionOptions['behavior'];

/** What a committed transaction did beside its response: the index it got, and the keys that are other than before. */
export interface Committed {
  readonly result: TransactionResult;
  readonly index: number;
  readonly changedKeys: readonly string[];
}

interface Row {
  readonly key: string;
  readonly value: string;
  readonly modified: number;
  readonly session: string | null;
}

/**
 * The table under the embedded store, in one SQLite file that this connection alone may open. A transaction is on disk
 * (write-ahead log, `synchronous = FULL`) before it is acknowledged, whole or not at all.
 */
export class EmbeddedDatabase {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #sessions: Map<string, SessionBehavior>;
  #index: number;

  /**
   * @param sessions those alive: in memory, because the sessions of a process end with it
   * @throws the driver's error; `errcode` 5 means that another connection holds the file.
   */
  constructor(file: string, sessions = new Map<string, SessionBehavior>()) {
    this.#sessions = sessions;
    this.#database = new DatabaseSync(file, { timeout: 0 });
    try {
      // Exclusive before the first access: the lock is the operating system's, so it ends with the process however the
      // process ends, and the write-ahead log needs no shared memory.
      this.#database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
      this.#database.exec(`
        CREATE TABLE IF NOT EXISTS entries (
          key TEXT PRIMARY KEY, value TEXT NOT NULL, modified INTEGER NOT NULL, session TEXT, behavior TEXT
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        INSERT INTO counters VALUES ('index', 1) ON CONFLICT DO NOTHING;`);
      this.#statements = prepareStatements(this.#database);
      this.#index = (this.#statements.readIndex.get() as unknown as { readonly value: number }).value;
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** The same table in memory. */
  static copyOf(from: EmbeddedDatabase, sessions: Map<string, SessionBehavior>): EmbeddedDatabase {
    const copy = new EmbeddedDatabase(':memory:', sessions);
    copy.takeOver(from);
    return copy;
  }

  /** Holds what the other one holds from now on, and nothing else. @throws the driver's error, with nothing changed */
  takeOver(from: EmbeddedDatabase): void {
    const rows = from.#database.prepare('SELECT key, value, modified, session, behavior FROM entries').all();
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      this.#database.exec('DELETE FROM entries');
      for (const { key, value, modified, session, behavior } of rows as unknown as readonly LockedRow[])
        this.#statements.put.run(key, value, modified, session, behavior);
      this.#statements.writeIndex.run(from.#index);
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
    this.#index = from.#index;
  }

  /** Rises by one with every transaction that changes something. */
  get index(): number {
    return this.#index;
  }

  get(key: string): StoredValue | undefined {
    const row = this.#statements.get.get(key) as unknown as Row | undefined;
    return row === undefined ? undefined : storedValue(row);
  }

  list(prefix: string): StoredValue[] {
    return (this.#statements.list.all(prefix, prefixEnd(prefix)) as unknown as Row[]).map(storedValue);
  }

  /** In byte order. With a separator each name ends at the first one behind the prefix, as Consul's `?keys` does. */
  names(prefix: string, separator: string | undefined): string[] {
    const names: string[] = [];
    const end = prefixEnd(prefix);
    let from = prefix;
    for (;;) {
      const row = this.#statements.firstKey.get(from, end) as unknown as Pick<Row, 'key'> | undefined;
      if (row === undefined) return names;
      const { key } = row;
      const cut = separator === undefined ? -1 : key.indexOf(separator, prefix.length);
      // One step per name, not per key: ten thousand services of one owner are one step.
      if (separator !== undefined && cut >= 0) {
        const name = key.slice(0, cut + separator.length);
        names.push(name);
        from = prefixEnd(name);
      } else {
        names.push(key);
        from = `${key}\0`;
      }
    }
  }

  openSession(session: string, behavior: SessionBehavior): void {
    this.#sessions.set(session, behavior);
  }

  /**
   * All operations or none. The lock of a session that has ended counts as free, also where the end could not be written
   * yet. @throws the driver's error, with nothing applied
   */
  transact(operations: readonly Operation[]): Committed {
    const index = this.#index + 1;
    const changedKeys = new Set<string>();
    const failed: number[] = [];
    let reason = '';
    const written = new Map<string, number>();
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const [position, operation] of operations.entries()) {
        const outcome = this.#apply(operation, index);
        if (outcome.kind === 'failed') {
          failed.push(position);
          reason ||= outcome.reason;
        } else {
          if (outcome.kind === 'changed') changedKeys.add(operation.key);
          if ('index' in outcome) written.set(operation.key, outcome.index);
        }
      }
      if (failed.length > 0 || changedKeys.size === 0) this.#database.exec('ROLLBACK');
      else {
        this.#statements.writeIndex.run(index);
        this.#database.exec('COMMIT');
        this.#index = index;
      }
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
    if (failed.length > 0) return { result: { ok: false, failed, reason }, index: this.#index, changedKeys: [] };
    return { result: { ok: true, written }, index: this.#index, changedKeys: [...changedKeys] };
  }

  /** Sessions that lock a key. Directly after opening these are sessions of a former process, which ended with it. */
  lockingSessions(): readonly string[] {
    return (this.#statements.lockingSessions.all() as unknown as { readonly session: string }[]).map(
      ({ session }) => session,
    );
  }

  /**
   * Ends a session and releases or deletes the keys that it locks. Returns those keys; without any, nothing is written.
   * @throws the driver's error: the session has ended, and its keys are as before
   */
  endSession(session: string): readonly string[] {
    this.#sessions.delete(session);
    const locked = this.#statements.lockedBy.all(session) as unknown as LockedRow[];
    if (locked.length === 0) return [];
    const index = this.#index + 1;
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const row of locked) {
        if (row.behavior === 'delete') this.#statements.remove.run(row.key);
        else this.#statements.put.run(row.key, row.value, index, null, null);
      }
      this.#statements.writeIndex.run(index);
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
    this.#index = index;
    return locked.map((row) => row.key);
  }

  close(): void {
    this.#database.close();
  }

  #apply(operation: Operation, index: number): OperationOutcome {
    const present = this.#statements.getLocked.get(operation.key) as unknown as LockedRow | undefined;
    const failed = (reason: string): OperationOutcome => ({ kind: 'failed', reason: `${operation.key}: ${reason}` });
    switch (operation.kind) {
      case 'set':
        return this.#put(present, operation, index, present?.session ?? null, present?.behavior ?? null);
      case 'compare-and-set':
        if ((present?.modified ?? 0) !== operation.index) return failed('index is stale');
        return this.#put(present, operation, index, present?.session ?? null, present?.behavior ?? null);
      case 'delete':
        return this.#remove(present);
      case 'compare-and-delete':
        if (present?.modified !== operation.index) return failed('index is stale');
        return this.#remove(present);
      case 'check-index':
        return present?.modified === operation.index ? { kind: 'unchanged' } : failed('index is stale');
      case 'check-absent':
        return present === undefined ? { kind: 'unchanged' } : failed('key exists');
      case 'check-session':
        return present?.session === operation.session && this.#sessions.has(operation.session)
          ? { kind: 'unchanged' }
          : failed('session does not hold the lock');
      case 'lock': {
        const behavior = this.#sessions.get(operation.session);
        if (behavior === undefined) return failed('session does not exist');
        const holder = present?.session ?? operation.session;
        if (holder !== operation.session && this.#sessions.has(holder)) return failed('another session holds the lock');
        return this.#put(present, operation, index, operation.session, behavior);
      }
      case 'unlock':
        if (present?.session !== operation.session) return failed('session does not hold the lock');
        return this.#put(present, operation, index, null, null);
    }
  }

  #put(
    present: LockedRow | undefined,
    operation: { readonly key: string; readonly value: string },
    index: number,
    session: string | null,
    behavior: SessionBehavior | null,
  ): OperationOutcome {
    // As in Consul: an equal value is not written, keeps its index and wakes no watch.
    if (present?.value === operation.value && present.session === session) {
      return { kind: 'unchanged', index: present.modified };
    }
    this.#statements.put.run(operation.key, operation.value, index, session, behavior);
    return { kind: 'changed', index };
  }

  #remove(present: LockedRow | undefined): OperationOutcome {
    if (present === undefined) return { kind: 'unchanged' };
    this.#statements.remove.run(present.key);
    return { kind: 'changed' };
  }
}

interface LockedRow extends Row {
  readonly behavior: SessionBehavior | null;
}

type OperationOutcome =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'unchanged'; readonly index: number }
  | { readonly kind: 'changed' }
  | { readonly kind: 'changed'; readonly index: number }
  | { readonly kind: 'failed'; readonly reason: string };

interface Statements {
  readonly readIndex: StatementSync;
  readonly writeIndex: StatementSync;
  readonly get: StatementSync;
  readonly getLocked: StatementSync;
  readonly list: StatementSync;
  readonly firstKey: StatementSync;
  readonly put: StatementSync;
  readonly remove: StatementSync;
  readonly lockedBy: StatementSync;
  readonly lockingSessions: StatementSync;
}

function prepareStatements(database: DatabaseSync): Statements {
  const columns = 'key, value, modified, session';
  return {
    readIndex: database.prepare("SELECT value FROM counters WHERE name = 'index'"),
    writeIndex: database.prepare("UPDATE counters SET value = ? WHERE name = 'index'"),
    get: database.prepare(`SELECT ${columns} FROM entries WHERE key = ?`),
    getLocked: database.prepare(`SELECT ${columns}, behavior FROM entries WHERE key = ?`),
    list: database.prepare(`SELECT ${columns} FROM entries WHERE key >= ? AND key < ? ORDER BY key`),
    firstKey: database.prepare('SELECT key FROM entries WHERE key >= ? AND key < ? ORDER BY key LIMIT 1'),
    put: database.prepare('INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)'),
    remove: database.prepare('DELETE FROM entries WHERE key = ?'),
    lockedBy: database.prepare(`SELECT ${columns}, behavior FROM entries WHERE session = ?`),
    lockingSessions: database.prepare('SELECT DISTINCT session FROM entries WHERE session IS NOT NULL'),
  };
}

function storedValue(row: Row): StoredValue {
  const stored = { key: row.key, value: row.value, index: row.modified };
  return row.session === null ? stored : { ...stored, session: row.session };
}

/** The first string behind everything that begins with `prefix`. Keys are ASCII, so one code unit up is enough. */
function prefixEnd(prefix: string): string {
  if (prefix === '') return '\u{10ffff}';
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}
