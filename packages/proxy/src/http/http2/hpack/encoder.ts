import { COLON, valueBytes } from '../../byte-tables.ts';
import { isLowerToken } from '../field-names.ts';
import { defaultTableBytes } from './decoder.ts';
import { EncoderTable } from './encoder-table.ts';
import { encodeHuffman, huffmanLength } from './huffman.ts';
import { staticNames } from './static-table.ts';

/** First bytes of the representations (RFC 7541, section 6). */
const INDEXED = 0x80;
const WITH_INDEXING = 0x40;
const NEVER_INDEXED = 0x10;
const WITHOUT_INDEXING = 0x00;

/**
 * Fields whose values are secrets: they stay out of the tables of this hop and of those behind it, so that a guess never
 * becomes a shorter block (RFC 7541, section 7.1.3).
 */
const secretNames = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie']);

/** What is known of the field at one place of the head, from the head before. */
interface Slot {
  /** Name and value as they were given, and the name as it is sent. */
  given: string;
  value: string;
  name: string;
  /** Index of the name in the static table, or 0. */
  nameIndex: number;
  /** Index of name and value in the static table, or 0. */
  staticIndex: number;
  /** Number of the entry in the dynamic table, or 0. */
  number: number;
  secret: boolean;
  /** The value is the same as in the head before. */
  repeated: boolean;
}

/**
 * HPACK's encoder (RFC 7541). Heads of one connection resemble each other: each field is compared with the field at the
 * same place of the head before, and is one byte where they are equal. A field enters the dynamic table when it comes a
 * second time, so that values which never repeat do not push out the others.
 */
export class HpackEncoder {
  readonly #table = new EncoderTable(defaultTableBytes);
  #headSlots: Slot[] | undefined = undefined;
  /** Trailers have fields of their own: compared with the head they would never repeat. */
  #trailerSlots: Slot[] | undefined = undefined;
  #slots: Slot[] = noSlots;
  /** The lowest size that the next block must announce, or -1 (RFC 7541, section 4.2). */
  #lowestUpdate = -1;
  #count = 0;
  /** The head that filled the slots of heads, without pseudo-header fields, and what it needed. */
  #lastHead: readonly string[] = noFields;
  #lastNeeded = 16;

  /** Takes the peer's SETTINGS_HEADER_TABLE_SIZE. More than 4,096 bytes are not used. */
  limitTable(bytes: number): void {
    const size = Math.min(bytes, defaultTableBytes);
    if (size === this.#table.maxBytes) return;
    this.#lowestUpdate = this.#lowestUpdate === -1 ? size : Math.min(this.#lowestUpdate, size);
    this.#table.resize(size);
  }

  /**
   * First half: takes the fields as flat name, value, name, value, and validates them. Names may have upper case. An array
   * that is given must not be changed any more.
   * @param pseudo pseudo-header fields, which come first
   * @returns how many bytes `write` needs at most, or -1 where a name or value must not be sent.
   */
  prepare(flat: readonly string[], section: 'head' | 'trailers', pseudo: readonly string[] = noFields): number {
    this.#headSlots ??= [];
    if (section === 'trailers') this.#trailerSlots ??= [];
    const slots = section === 'head' ? this.#headSlots : (this.#trailerSlots as Slot[]);
    this.#slots = slots;
    this.#count = 0;
    if (flat === this.#lastHead && section === 'head' && pseudo.length === 0) return this.#takeAgain(slots);
    if (section === 'head') this.#lastHead = noFields;
    const first = this.#take(pseudo, true);
    const rest = first === -1 ? -1 : this.#take(flat, false);
    if (rest === -1) return -1;
    // Nothing is kept of a head with many more fields than usual.
    if (slots.length > this.#count + 16) slots.length = this.#count;
    if (section === 'head' && pseudo.length === 0 && rest <= mostKeptHeadBytes) {
      this.#lastHead = flat;
      this.#lastNeeded = 16 + rest;
    }
    return 16 + first + rest;
  }

  /** The very head that was taken before. */
  #takeAgain(slots: readonly Slot[]): number {
    this.#count = this.#lastHead.length / 2;
    for (let place = 0; place < this.#count; place++) (slots[place] as Slot).repeated = true;
    return this.#lastNeeded;
  }

  /** Takes fields for the next slots. Returns how many bytes they need at most, or -1. */
  #take(flat: readonly string[], mayBePseudo: boolean): number {
    const slots = this.#slots;
    let needed = 0;
    let place = this.#count;
    for (let at = 0; at < flat.length; at += 2, place++) {
      const given = flat[at] as string;
      const value = flat[at + 1] as string;
      const slot = slots[place];
      if (slot !== undefined && slot.given === given && slot.value === value) slot.repeated = true;
      else {
        if (!mayBePseudo && given.charCodeAt(0) === COLON) return -1;
        const fresh = this.#look(slot, given, value);
        if (fresh === undefined) return -1;
        if (slot === undefined) slots.push(fresh);
      }
      needed += given.length + value.length + 12;
    }
    this.#count = place;
    return needed;
  }

  /** Validates a field and looks for it in the tables. `slot` is filled where there is one. */
  #look(slot: Slot | undefined, given: string, value: string): Slot | undefined {
    if (!isSendable(value)) return undefined;
    if (slot === undefined || slot.given !== given) {
      const name = given.toLowerCase();
      const known = staticNames.get(name);
      if (known === undefined && !isLowerToken(name) && name !== ':protocol') return undefined;
      slot ??= { given, value, name, nameIndex: 0, staticIndex: 0, number: 0, secret: false, repeated: false };
      slot.given = given;
      slot.name = name;
      slot.nameIndex = known?.index ?? 0;
      slot.secret = secretNames.has(name);
    }
    slot.value = value;
    slot.repeated = false;
    slot.staticIndex = slot.nameIndex === 0 ? 0 : (staticNames.get(slot.name)?.values.get(value) ?? 0);
    slot.number = slot.secret || slot.staticIndex !== 0 ? 0 : this.#table.find(slot.name, value);
    return slot;
  }

  /** Second half: writes the pending size update. Comes before the first field of a block. */
  writeSizeUpdate(target: Buffer, start: number): number {
    if (this.#lowestUpdate === -1) return start;
    const lowest = this.#lowestUpdate;
    const size = this.#table.maxBytes;
    this.#lowestUpdate = -1;
    const at = lowest < size ? writeInteger(target, start, 0x20, 5, lowest) : start;
    return writeInteger(target, at, 0x20, 5, size);
  }

  /** Second half: writes the fields that were prepared last. Returns the place behind them. */
  write(target: Buffer, start: number): number {
    const slots = this.#slots;
    let at = start;
    for (let place = 0; place < this.#count; place++) {
      const slot = slots[place] as Slot;
      const index = slot.staticIndex !== 0 ? slot.staticIndex : this.#table.indexOf(slot.number);
      if (index !== 0) {
        if (index < 0x7f) target[at++] = INDEXED | index;
        else at = writeInteger(target, at, INDEXED, 7, index);
      } else at = this.#writeLiteral(slot, target, at);
    }
    return at;
  }

  #writeLiteral(slot: Slot, target: Buffer, start: number): number {
    const { name, value } = slot;
    const insert = slot.repeated && !slot.secret && this.#table.fits(name, value);
    const nameIndex = slot.nameIndex !== 0 ? slot.nameIndex : this.#table.indexOf(this.#table.findName(name));
    const kind = insert ? WITH_INDEXING : slot.secret ? NEVER_INDEXED : WITHOUT_INDEXING;
    let at = writeInteger(target, start, kind, insert ? 6 : 4, nameIndex);
    if (nameIndex === 0) at = insert ? writeShortest(target, at, name) : writePlain(target, at, name);
    if (!insert) return writePlain(target, at, value);
    at = writeShortest(target, at, value);
    const kept = ownCopy(value);
    slot.value = kept;
    slot.number = this.#table.insert(name, kept);
    return at;
  }
}

/** An idle connection keeps no larger head than this. */
const mostKeptHeadBytes = 1_024;
const noSlots: Slot[] = [];
const noFields: readonly string[] = [];

/** `:status` (RFC 9113, section 8.3.2): one byte for the common ones. */
export function writeStatus(target: Buffer, start: number, status: number): number {
  const index = statusIndexes[status] ?? 0;
  let at = start;
  if (index !== 0) target[at++] = INDEXED | index;
  else at = writePlain(target, writeInteger(target, at, WITHOUT_INDEXING, 4, 8), String(status));
  return at;
}

const statusIndexes: Readonly<Record<number, number>> = { 200: 8, 204: 9, 206: 10, 304: 11, 400: 12, 404: 13, 500: 14 };

/** The bytes of a field value that HTTP/1.1 takes, and latin1 alone: beyond it a character would lose its high byte. */
function isSendable(value: string): boolean {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code > 0xff || valueBytes[code] === 0) return false;
  }
  if (value.length === 0) return true;
  // RFC 9113, section 8.2.1: no whitespace around a value.
  const first = value.charCodeAt(0);
  const last = value.charCodeAt(value.length - 1);
  return first > 0x20 && last > 0x20;
}

/** RFC 7541, section 5.1. */
function writeInteger(target: Uint8Array, start: number, kind: number, prefixBits: number, value: number): number {
  let at = start;
  const most = (1 << prefixBits) - 1;
  if (value < most) {
    target[at++] = kind | value;
    return at;
  }
  target[at++] = kind | most;
  let rest = value - most;
  while (rest >= 0x80) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}

/** A string as it is (RFC 7541, section 5.2): for values that are sent once. */
function writePlain(target: Buffer, start: number, text: string): number {
  let at = writeInteger(target, start, 0, 7, text.length);
  // A call into the runtime costs more than a short loop.
  if (text.length > 24) return at + target.write(text, at, 'latin1');
  for (let index = 0; index < text.length; index++) target[at++] = text.charCodeAt(index);
  return at;
}

/** A string in the shorter of its two forms: for what enters the table. */
function writeShortest(target: Buffer, start: number, text: string): number {
  const coded = huffmanLength(text);
  if (coded >= text.length) return writePlain(target, start, text);
  return encodeHuffman(text, target, writeInteger(target, start, 0x80, 7, coded));
}

const scratch = Buffer.allocUnsafeSlow(defaultTableBytes);

/** A string that does not keep the text alive it was cut from: an entry lives as long as its connection. */
function ownCopy(value: string): string {
  if (value.length < 13) return value;
  return scratch.toString('latin1', 0, scratch.write(value, 0, 'latin1'));
}
