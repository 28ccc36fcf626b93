import { existsSync } from 'node:fs';
import { messageOf } from '@swarmgate/runtime';
import { type Committed, EmbeddedDatabase, type SessionBehavior } from './embedded-database.ts';
import type { Operation, StoredValue } from './key-value-store.ts';

/** SQLite's primary result codes of a disk that takes no writes, whatever there is room for. */
const brokenDisk: ReadonlySet<number> = new Set([8 /* READONLY */, 10 /* IOERR */, 14 /* CANTOPEN */]);

/**
 * The table of the embedded store over a disk that may become read-only, as ext4 does after an error of its own. An open
 * file would keep the operator from unmounting and repairing that file system, and stays read-only for good. So the file is
 * closed with the first write that the disk refuses; reads are served from a copy in memory, and each later write opens
 * the file again first. What it holds by then counts where that
 * is more, as a write whose refusal came late may be in it; what it has lost is written again.
 */
export class RecoveringDatabase {
  readonly #file: string;
  readonly #sessions = new Map<string, SessionBehavior>();
  #table: EmbeddedDatabase;
  /** Why the table is a copy in memory; `undefined`: it is the file. */
  #refusal: Error | undefined;
  /** By opening the file again, not reported yet. */
  #changedKeys: readonly string[] = [];

  /** @throws the driver's error; `errcode` 5 means that another connection holds the file. */
  constructor(file: string) {
    this.#file = file;
    this.#table = new EmbeddedDatabase(file, this.#sessions);
  }

  get index(): number {
    return this.#table.index;
  }

  get(key: string): StoredValue | undefined {
    return this.#table.get(key);
  }

  list(prefix: string): StoredValue[] {
    return this.#table.list(prefix);
  }

  names(prefix: string, separator: string | undefined): string[] {
    return this.#table.names(prefix, separator);
  }

  lockingSessions(): readonly string[] {
    return this.#table.lockingSessions();
  }

  openSession(session: string, behavior: SessionBehavior): void {
    this.#table.openSession(session, behavior);
  }

  /** @throws the driver's error, with nothing applied that it is known of */
  transact(operations: readonly Operation[]): Pick<Committed, 'result' | 'changedKeys'> {
    const { result, changedKeys } = this.#write(() => this.#table.transact(operations));
    return { result, changedKeys: [...this.#takeChanged(), ...changedKeys] };
  }

  /** @throws the driver's error: the session has ended, and its keys are as before */
  endSession(session: string): readonly string[] {
    this.#sessions.delete(session);
    const changedKeys = this.#write(() => this.#table.endSession(session));
    return [...this.#takeChanged(), ...changedKeys];
  }

  close(): void {
    this.#table.close();
  }

  #takeChanged(): readonly string[] {
    const changed = this.#changedKeys;
    this.#changedKeys = [];
    return changed;
  }

  #write<T>(write: () => T): T {
    if (this.#refusal !== undefined) this.#reopen(this.#refusal);
    try {
      return write();
    } catch (error) {
      if (isOfBrokenDisk(error)) this.#leaveFile(error);
      throw error;
    }
  }

  #leaveFile(refusal: Error): void {
    const copy = EmbeddedDatabase.copyOf(this.#table, this.#sessions);
    this.#table.close();
    this.#table = copy;
    this.#refusal = refusal;
  }

  /** @throws where the file still cannot be opened and written */
  #reopen(refusal: Error): void {
    let file: EmbeddedDatabase | undefined;
    const copy = this.#table;
    try {
      // SQLite would make one, in the folder where the file system is to be mounted again.
      if (!existsSync(this.#file)) throw new Error('it is missing');
      file = new EmbeddedDatabase(this.#file, this.#sessions);
      // A repair may take the last writes along, all of which were served.
      if (file.index < copy.index) file.takeOver(copy);
    } catch (error) {
      file?.close();
      throw new Error(`${refusal.message}; it cannot be opened again: ${messageOf(error)}`, { cause: error });
    }
    this.#changedKeys = differences(copy, file);
    this.#table = file;
    this.#refusal = undefined;
    copy.close();
  }
}

function isOfBrokenDisk(error: unknown): error is Error {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0;
  // The lowest byte is the primary code: https://www.sqlite.org/rescode.html
  return brokenDisk.has(code & 0xff);
}

function differences(one: EmbeddedDatabase, other: EmbeddedDatabase): readonly string[] {
  const before = new Map(one.list('').map((stored) => [stored.key, stored.index]));
  const changed: string[] = [];
  for (const { key, index } of other.list('')) {
    if (before.get(key) !== index) changed.push(key);
    before.delete(key);
  }
  return [...changed, ...before.keys()];
}
