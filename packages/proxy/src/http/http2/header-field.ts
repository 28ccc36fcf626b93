import { SPACE, TAB } from '../byte-tables.ts';
import { parseContentLength } from '../field-section.ts';
import { type ParseError, parseErrors } from '../parse-error.ts';
import { type FieldName, headErrors, Rule } from './field-names.ts';

/**
 * One field as it was decoded. The entries of HPACK's tables are such objects: what was validated or built for a field is
 * kept with it, and costs nothing in the requests that repeat it.
 */
export class HeaderField {
  readonly name: FieldName;
  /** Latin1, without a change. */
  readonly value: string;
  /** Set where the field makes its message malformed, by its name or its value. */
  readonly flaw: ParseError | undefined;
  #line: string | undefined = undefined;

  constructor(name: FieldName, value: string, flaw: ParseError | undefined) {
    this.name = name;
    this.value = value;
    this.flaw = flaw;
  }

  /** The field as a line of HTTP/1.1, with CRLF. Only for a field without a flaw. */
  get line(): string {
    this.#line ??= `${this.name.text}: ${this.value}\r\n`;
    return this.#line;
  }

  /** What the field counts for in a table and in a list: RFC 7541, section 4.1, and RFC 9113, section 6.5.2. */
  get bytes(): number {
    return this.name.text.length + this.value.length + 32;
  }
}

/** Makes a field of a value's bytes and validates it. */
export function validatedField(name: FieldName, bytes: Buffer, from: number, to: number): HeaderField {
  const value = from === to ? '' : bytes.toString('latin1', from, to);
  return new HeaderField(name, value, name.flaw ?? valueFlaw(name, bytes, from, to));
}

function valueFlaw(name: FieldName, bytes: Uint8Array, from: number, to: number): ParseError | undefined {
  if (from === to) return name.rule === Rule.contentLength ? parseErrors.contentLength : emptyFlaw(name);
  const table = name.valueTable;
  for (let at = from; at < to; at++) if (table[bytes[at] as number] === 0) return name.valueFlaw;
  // RFC 9113, section 8.2.1. The tables of pseudo-header fields hold neither of them.
  if (isBlank(bytes[from] as number) || isBlank(bytes[to - 1] as number)) return name.valueFlaw;
  switch (name.rule) {
    case Rule.contentLength:
      return parseContentLength(bytes, from, to) === -1 ? parseErrors.contentLength : undefined;
    case Rule.te:
      return isTrailers(bytes, from, to) ? undefined : headErrors.te;
    default:
      return undefined;
  }
}

function emptyFlaw(name: FieldName): ParseError | undefined {
  return name.mayBeEmpty ? undefined : name.valueFlaw;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

/** `trailers`, and nothing else, in any case: the value is a list of tokens without case (RFC 9110, section 10.1.4). */
function isTrailers(bytes: Uint8Array, from: number, to: number): boolean {
  const word = 'trailers';
  if (to - from !== word.length) return false;
  for (let at = 0; at < word.length; at++)
    if (((bytes[from + at] as number) | 0x20) !== word.charCodeAt(at)) return false;
  return true;
}
