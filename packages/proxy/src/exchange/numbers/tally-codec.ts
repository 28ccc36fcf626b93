import { type RowVisitor, type Tally, type TallyPage, TallyRow } from './tally.ts';

/**
 * A tally as bytes: what a worker sends to its control process, and how a closed minute is kept. Some 20 bytes for a row with a
 * handful of cells. All numbers are LEB128 (7 bits a byte, lowest first), row and cell numbers as steps from the one before.
 */
export function encodeTally(tally: Pick<Tally | TallyPage, 'forEach'>): Uint8Array {
  const out = new Writer();
  let before = 0;
  tally.forEach((id, row, cells, counts) => {
    out.number(id - before);
    before = id;
    out.number(row.sentBytes);
    out.number(row.receivedBytes);
    out.number(row.reasons?.size ?? 0);
    for (const [reason, count] of row.reasons ?? []) {
      out.text(reason);
      out.number(count);
    }
    out.number(cells.length);
    let cellBefore = 0;
    for (let at = 0; at < cells.length; at += 1) {
      const cell = cells[at] as number;
      out.number(cell - cellBefore);
      cellBefore = cell;
      out.number(counts[at] as number);
    }
  });
  return out.bytes();
}

/** Reads what `encodeTally` wrote, row by row. `row`, `cells` and `counts` hold only during the call. */
export function forEachRow(bytes: Uint8Array, visit: RowVisitor): void {
  readRows(bytes, visit, Number.POSITIVE_INFINITY).next();
}

/** As `forEachRow`, yielding after so many rows. */
export function* readRows(bytes: Uint8Array, visit: RowVisitor, rowsPerStep = 64): Generator<undefined, void> {
  const reader = new Reader(bytes);
  const [cells, counts]: [number[], number[]] = [[], []];
  let id = 0;
  let read = 0;
  while (!reader.atEnd) {
    id += reader.number();
    const row = new TallyRow();
    row.sentBytes = reader.number();
    row.receivedBytes = reader.number();
    for (let left = reader.number(); left > 0; left -= 1) row.countReason(reader.text(), reader.number());
    cells.length = 0;
    counts.length = 0;
    let cell = 0;
    for (let left = reader.number(); left > 0; left -= 1) {
      cell += reader.number();
      cells.push(cell);
      counts.push(reader.number());
    }
    visit(id, row, cells, counts);
    read += 1;
    if (read % rowsPerStep === 0) yield;
  }
}

class Writer {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** A whole number from 0 to 2⁵³ - 1. */
  number(value: number): void {
    if (this.#length + 8 > this.#bytes.length) this.#grow(8);
    let left = value;
    // Bitwise operators take 32 bits only, and bytes sent are more than that.
    while (left >= 0x80) {
      this.#bytes[this.#length++] = (left % 0x80) | 0x80;
      left = Math.floor(left / 0x80);
    }
    this.#bytes[this.#length++] = left;
  }

  text(value: string): void {
    const encoded = Buffer.from(value, 'utf8');
    this.number(encoded.length);
    if (this.#length + encoded.length > this.#bytes.length) this.#grow(encoded.length);
    this.#bytes.set(encoded, this.#length);
    this.#length += encoded.length;
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #grow(by: number): void {
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + by));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  number(): number {
    let [value, unit] = [0, 1];
    for (;;) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
      unit *= 0x80;
    }
  }

  text(): string {
    const length = this.number();
    const { buffer, byteOffset } = this.#bytes;
    const text = Buffer.from(buffer, byteOffset + this.#at, length).toString('utf8');
    this.#at += length;
    return text;
  }
}
