import { fieldName } from '../field-names.ts';
import { type HeaderField, validatedField } from '../header-field.ts';
import { decodeHuffman, mostDecodedBytes } from './huffman.ts';
import { staticEntries, staticTable } from './static-table.ts';

/** SETTINGS_HEADER_TABLE_SIZE before any setting (RFC 9113, section 6.5.2). */
export const defaultTableBytes = 4_096;

/** More than any string or index of a block: an integer above it is an error (RFC 7541, section 5.1). */
const mostInteger = 1 << 28;

/** A block that decodes to more than so many times the limit was made to cost work (RFC 9113, section 10.5.1). */
const bombFactor = 16;

/** More fields than a usual block has: beyond it the memory is given back. */
const mostKeptFields = 256;

/** The fields of one block, in order. Used for block after block. */
export class DecodedFields {
  /** Of the fields that are within the limit. */
  count = 0;
  /** Size of all fields (RFC 9113, section 6.5.2): also of those that were left out. */
  bytes = 0;
  /** Set where the size exceeded its limit: the fields from there on were left out. */
  exceeded = false;
  /** Set where it exceeded its limit 16 times over, which no head that is only too large does: decoding has ended there. */
  isBomb = false;
  #limitBytes = 0;
  // Emptying an array gives its memory away: the places are written again instead.
  #fields: HeaderField[] = [];

  begin(limitBytes: number): void {
    if (this.count > mostKeptFields) this.#fields = [];
    this.count = 0;
    this.bytes = 0;
    this.exceeded = false;
    this.isBomb = false;
    this.#limitBytes = limitBytes;
  }

  add(field: HeaderField): void {
    this.bytes += field.bytes;
    if (this.bytes <= this.#limitBytes) this.#fields[this.count++] = field;
    else {
      this.exceeded = true;
      this.isBomb = this.bytes > bombFactor * this.#limitBytes;
    }
  }

  /** @param index Below `count`. */
  at(index: number): HeaderField {
    return this.#fields[index] as HeaderField;
  }

  get list(): readonly HeaderField[] {
    return this.#fields.slice(0, this.count);
  }
}

const noEntries: (HeaderField | undefined)[] = [];

// Results of the last integer or string. Decoding is synchronous and calls nothing outside of this folder, so one set
// serves all connections.
let cursor = 0;
let integer = 0;
let textBytes: Buffer = Buffer.alloc(0);
let textFrom = 0;
let textTo = 0;
let scratch: Buffer = Buffer.allocUnsafeSlow(4_096);

/**
 * HPACK's decoder (RFC 7541, section 3). One for each connection and direction; the dynamic table is allocated with its
 * first entry. After a block that did not decode, the object must not be used again.
 */
export class HpackDecoder {
  /** A ring, its length a power of two. The newest entry is the one before `#next`. */
  #entries: (HeaderField | undefined)[] = noEntries;
  #next = 0;
  #count = 0;
  #tableBytes = 0;
  #maxTableBytes = defaultTableBytes;
  /** What the encoder may choose at most. */
  #limitBytes = defaultTableBytes;
  /** The limit was lowered below what the encoder uses: its next block must begin with a size update (section 4.2). */
  #updateDue = false;

  /** Entries of the dynamic table. */
  get entryCount(): number {
    return this.#count;
  }

  /** Size of the dynamic table in bytes (section 4.1). */
  get tableBytes(): number {
    return this.#tableBytes;
  }

  /** Takes a new SETTINGS_HEADER_TABLE_SIZE that the peer has acknowledged. */
  limitTable(bytes: number): void {
    this.#limitBytes = bytes;
    if (bytes < this.#maxTableBytes) this.#updateDue = true;
  }

  /** Decodes a whole block into `fields`. Returns `false` where the block is wrong, or a bomb: `fields` shows which. */
  decode(bytes: Buffer, from: number, to: number, fields: DecodedFields): boolean {
    let at = from;
    let mayResize = true;
    while (at < to) {
      const first = bytes[at] as number;
      if ((first & 0xe0) === 0x20) {
        if (!mayResize || !readInteger(bytes, at, to, 0x1f) || integer > this.#limitBytes) return false;
        at = cursor;
        this.#resize(integer);
        continue;
      }
      if (mayResize) {
        if (this.#updateDue) return false;
        mayResize = false;
      }
      if ((first & 0x80) !== 0) {
        // An index below 127 is one byte: nearly every field of a connection in use.
        let index = first & 0x7f;
        if (index === 0x7f) {
          if (!readInteger(bytes, at, to, 0x7f)) return false;
          index = integer;
          at = cursor;
        } else at++;
        const field = this.#entry(index);
        if (field === undefined) return false;
        fields.add(field);
        if (fields.isBomb) return false;
        continue;
      }
      const indexed = (first & 0x40) !== 0;
      const field = this.#readLiteral(bytes, at, to, indexed ? 0x3f : 0x0f);
      if (field === undefined) return false;
      at = cursor;
      if (indexed) this.#insert(field);
      fields.add(field);
      if (fields.isBomb) return false;
    }
    return true;
  }

  #entry(index: number): HeaderField | undefined {
    if (index <= staticEntries) return index === 0 ? undefined : staticTable[index - 1];
    const age = index - staticEntries - 1;
    if (age >= this.#count) return undefined;
    return this.#entries[(this.#next - 1 - age) & (this.#entries.length - 1)];
  }

  /** RFC 7541, section 6.2. */
  #readLiteral(bytes: Buffer, start: number, to: number, mask: number): HeaderField | undefined {
    if (!readInteger(bytes, start, to, mask)) return undefined;
    let name = integer === 0 ? undefined : this.#entry(integer)?.name;
    if (integer === 0) {
      if (!readString(bytes, cursor, to)) return undefined;
      name = fieldName(textBytes.toString('latin1', textFrom, textTo));
    }
    if (name === undefined || !readString(bytes, cursor, to)) return undefined;
    return validatedField(name, textBytes, textFrom, textTo);
  }

  /** RFC 7541, section 4.4: an entry larger than the table empties it. */
  #insert(field: HeaderField): void {
    const size = field.bytes;
    this.#evictTo(this.#maxTableBytes - size);
    if (size > this.#maxTableBytes) return;
    if (this.#count === this.#entries.length) this.#grow();
    this.#entries[this.#next] = field;
    this.#next = (this.#next + 1) & (this.#entries.length - 1);
    this.#count++;
    this.#tableBytes += size;
  }

  #grow(): void {
    const older = this.#entries;
    const grown: (HeaderField | undefined)[] = new Array(Math.max(8, older.length * 2)).fill(undefined);
    for (let age = 0; age < this.#count; age++) {
      grown[this.#count - 1 - age] = older[(this.#next - 1 - age) & (older.length - 1)];
    }
    this.#entries = grown;
    this.#next = this.#count;
  }

  #evictTo(bytes: number): void {
    while (this.#count > 0 && this.#tableBytes > bytes) {
      const oldest = (this.#next - this.#count) & (this.#entries.length - 1);
      this.#tableBytes -= (this.#entries[oldest] as HeaderField).bytes;
      this.#entries[oldest] = undefined;
      this.#count--;
    }
  }

  #resize(bytes: number): void {
    this.#maxTableBytes = bytes;
    this.#updateDue = false;
    this.#evictTo(bytes);
  }
}

/** Reads an integer (RFC 7541, section 5.1) into `integer`, and the place behind it into `cursor`. */
function readInteger(bytes: Uint8Array, start: number, to: number, mask: number): boolean {
  let at = start;
  if (at >= to) return false;
  integer = (bytes[at++] as number) & mask;
  if (integer === mask) {
    let shift = 0;
    let byte: number;
    do {
      // Five bytes of seven bits are more than any length here, also where they are zeros.
      if (at >= to || shift > 28) return false;
      byte = bytes[at++] as number;
      integer += (byte & 0x7f) * 2 ** shift;
      shift += 7;
    } while ((byte & 0x80) !== 0);
    if (integer > mostInteger) return false;
  }
  cursor = at;
  return true;
}

/** Reads a string (RFC 7541, section 5.2) into `textBytes`, and the place behind it into `cursor`. */
function readString(bytes: Buffer, start: number, to: number): boolean {
  if (start >= to) return false;
  const coded = ((bytes[start] as number) & 0x80) !== 0;
  if (!readInteger(bytes, start, to, 0x7f)) return false;
  const end = cursor + integer;
  if (end > to) return false;
  if (coded) {
    const needed = mostDecodedBytes(integer);
    if (scratch.length < needed) scratch = Buffer.allocUnsafeSlow(needed);
    const length = decodeHuffman(bytes, cursor, end, scratch);
    if (length === -1) return false;
    textBytes = scratch;
    textFrom = 0;
    textTo = length;
  } else {
    textBytes = bytes;
    textFrom = cursor;
    textTo = end;
  }
  cursor = end;
  return true;
}
