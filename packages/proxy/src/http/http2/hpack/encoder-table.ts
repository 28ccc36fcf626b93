import { staticEntries } from './static-table.ts';

/** One entry of an encoder's dynamic table. */
export interface TableEntry {
  readonly name: string;
  readonly value: string;
  /** Entries are numbered from 1 in the order they were inserted. */
  readonly number: number;
}

/**
 * The encoder's copy of the peer's dynamic table (RFC 7541, section 2.3.2). Entries are few (128 at most with 4,096
 * bytes) and looked for only where a response differs from the one before, so that a scan is cheaper than an index.
 */
export class EncoderTable {
  /** Oldest first. */
  #entries: TableEntry[] | undefined = undefined;
  #inserted = 0;
  #bytes = 0;
  #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** The index of an entry on the wire, or 0 where it was evicted. */
  indexOf(number: number): number {
    const age = this.#inserted - number;
    return number !== 0 && age < (this.#entries?.length ?? 0) ? staticEntries + 1 + age : 0;
  }

  /** The newest entry with this name and value, or 0. */
  find(name: string, value: string): number {
    const entries = this.#entries;
    if (entries === undefined) return 0;
    for (let at = entries.length - 1; at >= 0; at--) {
      const entry = entries[at] as TableEntry;
      if (entry.name === name && entry.value === value) return entry.number;
    }
    return 0;
  }

  /** The newest entry with this name, or 0. */
  findName(name: string): number {
    const entries = this.#entries;
    if (entries === undefined) return 0;
    for (let at = entries.length - 1; at >= 0; at--) {
      if ((entries[at] as TableEntry).name === name) return (entries[at] as TableEntry).number;
    }
    return 0;
  }

  /** Whether an entry would stay in the table without emptying it. */
  fits(name: string, value: string): boolean {
    return name.length + value.length + 32 <= this.#maxBytes;
  }

  insert(name: string, value: string): number {
    const size = name.length + value.length + 32;
    this.#evictTo(this.#maxBytes - size);
    this.#entries ??= [];
    const number = ++this.#inserted;
    this.#entries.push({ name, value, number });
    this.#bytes += size;
    return number;
  }

  resize(bytes: number): void {
    this.#maxBytes = bytes;
    this.#evictTo(bytes);
  }

  #evictTo(bytes: number): void {
    const entries = this.#entries;
    if (entries === undefined) return;
    while (entries.length > 0 && this.#bytes > bytes) {
      const oldest = entries.shift() as TableEntry;
      this.#bytes -= oldest.name.length + oldest.value.length + 32;
    }
  }
}
