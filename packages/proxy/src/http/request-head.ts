import { CR, LF, NEEDS_NORMALIZING, SPACE, targetBytes, tokenBytes } from './byte-tables.ts';
import { type ConnectionOptions, connectionOptions, noOptions } from './connection-options.ts';
import { Field, FieldSection, isWord, parseContentLength } from './field-section.ts';
import { type ParseError, parseErrors } from './parse-error.ts';

export interface HeadLimits {
  /** Request line and fields together. Default 32,768; more is 431. */
  readonly headBytes: number;
  /** Default 100; more is 431. */
  readonly fields: number;
}

export const defaultHeadLimits: HeadLimits = { headBytes: 32_768, fields: 100 };

const SLASH = 0x2f;
const DOT = 0x2e;
const QUESTION = 0x3f;
// `HTTP/` as bytes.
const versionPrefix = [0x48, 0x54, 0x54, 0x50, 0x2f];

/**
 * A strict parser of request heads (RFC 9112, sections 2 to 6) over a table of bytes: what two servers could read in two
 * ways is refused, never repaired. The object is used for head after head and keeps places, not copies.
 */
export class RequestHead {
  readonly fields: FieldSection;
  readonly #limits: HeadLimits;
  /** Where the method begins: behind an empty line that some clients send after a body (RFC 9112, section 2.2). */
  start = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** End of the path: the `?`, or the end of the target. */
  pathEnd = 0;
  /** `origin` begins with a slash, `asterisk` is `*`, `other` is absolute-form or authority-form. */
  form: 'origin' | 'asterisk' | 'other' = 'origin';
  /** The path holds only bytes and segments that normalising leaves alone, and no `;`. */
  plainPath = true;
  /** A later one is served as HTTP/1.1: the same major version (RFC 9110, section 2.5). */
  minorVersion: 0 | 1 = 1;
  /** Index of the Host field, or -1 where HTTP/1.0 sent none. */
  host = -1;
  /** -1: none was sent. */
  contentLength = -1;
  chunked = false;
  connection: ConnectionOptions = noOptions;
  upgrade = false;
  expectContinue = false;
  /** Just behind the head. */
  end = 0;

  constructor(limits: HeadLimits = defaultHeadLimits) {
    this.#limits = limits;
    this.fields = new FieldSection(limits.fields);
  }

  /** Longest head, in bytes. */
  get mostBytes(): number {
    return this.#limits.headBytes;
  }

  /** Valid until the next `parse`, like every place in here. */
  parse(bytes: Buffer, start: number, end: number): 'complete' | 'incomplete' | ParseError {
    const outcome = this.#parse(bytes, start, end);
    if (outcome === 'incomplete') return end - start >= this.#limits.headBytes ? parseErrors.headTooLarge : outcome;
    if (outcome === 'complete' && this.end - start > this.#limits.headBytes) return parseErrors.headTooLarge;
    return outcome;
  }

  method(bytes: Buffer): string {
    // Nearly all: no need to make the same string again.
    if (this.methodEnd - this.start === 3 && bytes[this.start] === 0x47 && bytes[this.start + 1] === 0x45) {
      if (bytes[this.start + 2] === 0x54) return 'GET';
    }
    return bytes.toString('latin1', this.start, this.methodEnd);
  }

  /** The method's framing: no body unless one was announced (RFC 9112, section 6.3). */
  get hasBody(): boolean {
    return this.chunked || this.contentLength > 0;
  }

  /** Whether the client lets its connection live after this exchange (RFC 9112, section 9.3). */
  get persistent(): boolean {
    return this.minorVersion === 1 ? !this.connection.close : this.connection.keepAlive && !this.connection.close;
  }

  #parse(bytes: Buffer, start: number, end: number): 'complete' | 'incomplete' | ParseError {
    let at = start;
    while (at < end && bytes[at] === CR && at - start < 4) {
      if (at + 1 >= end) return 'incomplete';
      if (bytes[at + 1] !== LF) return parseErrors.lineEnding;
      at += 2;
    }
    const line = this.#parseRequestLine(bytes, at, end);
    if (typeof line !== 'number') return line;
    const section = this.fields.parse(bytes, line, end);
    if (section !== 'complete') return section;
    this.end = this.fields.end;
    return this.#validateFields(bytes);
  }

  #parseRequestLine(bytes: Buffer, start: number, end: number): number | 'incomplete' | ParseError {
    let at = start;
    this.start = start;
    while (at < end && tokenBytes[bytes[at] as number] !== 0) at++;
    if (at >= end) return 'incomplete';
    if (bytes[at] !== SPACE || at === start) return parseErrors.method;
    this.methodEnd = at++;
    this.targetStart = at;
    const target = this.#parseTarget(bytes, at, end);
    if (typeof target !== 'number') return target;
    at = target;
    if (at >= end) return 'incomplete';
    if (bytes[at] !== SPACE || at === this.targetStart) {
      return bytes[at] === CR || bytes[at] === LF ? parseErrors.version : parseErrors.target;
    }
    at++;
    for (let each = 0; each < 5; each++, at++) {
      if (at >= end) return 'incomplete';
      if (bytes[at] !== versionPrefix[each]) return parseErrors.version;
    }
    // A digit, a dot and a digit, CRLF.
    const major = (bytes[at] as number) - 0x30;
    const minor = (bytes[at + 2] as number) - 0x30;
    if (at < end && (major < 0 || major > 9)) return parseErrors.version;
    if (at + 1 < end && bytes[at + 1] !== DOT) return parseErrors.version;
    if (at + 2 < end && (minor < 0 || minor > 9)) return parseErrors.version;
    at += 3;
    if (at >= end) return 'incomplete';
    if (bytes[at] !== CR) return bytes[at] === LF ? parseErrors.lineEnding : parseErrors.version;
    if (at + 1 >= end) return 'incomplete';
    if (bytes[at + 1] !== LF) return parseErrors.lineEnding;
    if (major !== 1) return parseErrors.versionNotSupported;
    this.minorVersion = minor === 0 ? 0 : 1;
    return at + 2;
  }

  /** Up to the first byte that cannot stand in a target. */
  #parseTarget(bytes: Buffer, start: number, end: number): number | 'incomplete' | ParseError {
    let at = start;
    if (at >= end) return 'incomplete';
    const first = bytes[at] as number;
    let seen = 0;
    let plain = true;
    let before = 0;
    let byte = first;
    let kind = targetBytes[byte] as number;
    while (kind !== 0 && byte !== QUESTION) {
      seen |= kind;
      if (before === SLASH && (byte === SLASH || byte === DOT)) plain = false;
      before = byte;
      if (++at >= end) return 'incomplete';
      byte = bytes[at] as number;
      kind = targetBytes[byte] as number;
    }
    this.pathEnd = at;
    this.plainPath = plain && (seen & NEEDS_NORMALIZING) === 0;
    while (at < end && targetBytes[bytes[at] as number] !== 0) at++;
    this.targetEnd = at;
    this.form = first === SLASH ? 'origin' : first === 0x2a && at - start === 1 ? 'asterisk' : 'other';
    return at;
  }

  #validateFields(bytes: Buffer): 'complete' | ParseError {
    const fields = this.fields;
    let encodings = 0;
    this.host = -1;
    this.contentLength = -1;
    this.chunked = false;
    this.connection = noOptions;
    this.upgrade = false;
    this.expectContinue = false;
    for (let index = 0; index < fields.count; index++) {
      switch (fields.field(index)) {
        case Field.host:
          if (this.host !== -1) return parseErrors.hostDuplicate;
          this.host = index;
          break;
        case Field.contentLength:
          // Even equal ones: servers differ in which they use if one of them does not see a third.
          if (this.contentLength !== -1) return parseErrors.contentLengthDuplicate;
          this.contentLength = parseContentLength(bytes, fields.valueStart(index), fields.valueEnd(index));
          if (this.contentLength === -1) return parseErrors.contentLength;
          break;
        case Field.transferEncoding:
          encodings++;
          this.chunked = isWord(bytes, fields.valueStart(index), fields.valueEnd(index), 'chunked');
          // Whitespace behind it is lawful, but parsers differ on whether it is still `chunked`.
          if (bytes[fields.valueEnd(index)] !== CR) return parseErrors.transferEncoding;
          if (encodings > 1 || !this.chunked) return parseErrors.transferEncoding;
          break;
        case Field.connection:
          this.connection = connectionOptions(bytes, fields.valueStart(index), fields.valueEnd(index), this.connection);
          break;
        case Field.upgrade:
          this.upgrade = true;
          break;
        case Field.expect:
          // HTTP/1.0 has no expectations (RFC 9110, section 10.1.1).
          if (this.minorVersion === 0) break;
          if (!isWord(bytes, fields.valueStart(index), fields.valueEnd(index), '100-continue'))
            return parseErrors.expectation;
          this.expectContinue = true;
          break;
        default:
      }
    }
    if (this.host === -1 && this.minorVersion === 1) return parseErrors.hostMissing;
    if (this.chunked && this.contentLength !== -1) return parseErrors.framingConflict;
    if (this.chunked && this.minorVersion === 0) return parseErrors.transferEncodingInHttp10;
    return 'complete';
  }
}
