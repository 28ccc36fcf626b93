import type { SentFields } from '../model/sent-fields.ts';
import { CR, LF, SPACE, valueBytes } from './byte-tables.ts';
import { type ConnectionOptions, connectionOptions, noOptions } from './connection-options.ts';
import { Field, FieldSection, isWord, parseContentLength } from './field-section.ts';
import { HeadText } from './head-text.ts';
import { type ParseError, parseErrors } from './parse-error.ts';

/**
 * How the end of a response's body is known (RFC 9112, section 6.3). `unsized`: of HTTP/2 without Content-Length, by the end
 * of its stream.
 */
export type BodyFraming = 'none' | 'length' | 'chunked' | 'until-close' | 'unsized';

export interface ResponseLimits {
  /** Default 65,536: services send large cookies and policies. */
  readonly headBytes: number;
  /** Default 250. */
  readonly fields: number;
}

export const defaultResponseLimits: ResponseLimits = { headBytes: 65_536, fields: 250 };

/** An endpoint's response head as forwarding reads it, from HTTP/1.1 or HTTP/2. Valid during the call that gives it. */
export interface ReceivedHead {
  readonly status: number;
  /** The reason phrase, or empty. */
  readonly reason: string;
  /** -1: none was sent. In a response to HEAD and in a 304 it describes a body that does not follow. */
  readonly contentLength: number;
  readonly chunked: boolean;
  /**
   * A length where none may be (RFC 9110, section 8.6): no body follows, but a client that relies on it would take the next
   * response for one. Beside chunks the length is not used (RFC 9112, section 6.3).
   */
  readonly hasStrayLength: boolean;
  /** `Connection` names other fields, which belong to the endpoint's hop. */
  readonly namesFields: boolean;
  /** The first value of a field, by lower-case name. */
  header(name: string): string | undefined;
  /** See `HeadText.hasAny`. */
  hasAny(marked: Uint8Array): boolean;
  /** All fields as sent but those that `dropped` marks: a table over `Field`. */
  fieldsWithout(dropped: Uint8Array): SentFields;
  /** Flat name, value, name, value, as sent. */
  flat(): string[];
  /** The same without the fields that `dropped` marks. */
  flatWithout(dropped: Uint8Array): string[];
}

const prefix = [0x48, 0x54, 0x54, 0x50, 0x2f, 0x31, 0x2e];

/** A strict parser of an endpoint's response heads. Used for head after head; keeps places, not copies. */
export class UpstreamHead implements ReceivedHead {
  readonly fields: FieldSection;
  readonly #limits: ResponseLimits;
  /** A later one counts as HTTP/1.1: the same major version (RFC 9110, section 2.5). */
  minorVersion: 0 | 1 = 1;
  status = 0;
  /** The reason phrase, perhaps empty. */
  reasonStart = 0;
  reasonEnd = 0;
  /** -1: none was sent. In a response to HEAD and in a 304 it describes a body that does not follow. */
  contentLength = -1;
  chunked = false;
  /** A length beside chunks, or chunks of HTTP/1.0: the body's end cannot be determined (RFC 9112, section 6.3). */
  framingConflict = false;
  connection: ConnectionOptions = noOptions;
  /** Index of a Keep-Alive field, or -1. */
  keepAlive = -1;
  end = 0;
  #bytes: Buffer = noBytes;
  #text: HeadText | undefined;

  constructor(limits: ResponseLimits = defaultResponseLimits) {
    this.#limits = limits;
    this.fields = new FieldSection(limits.fields);
  }

  parse(bytes: Buffer, start: number, end: number): 'complete' | 'incomplete' | ParseError {
    this.#bytes = bytes;
    this.#text = undefined;
    const outcome = this.#parse(bytes, start, end);
    if (outcome === 'incomplete') return end - start >= this.#limits.headBytes ? parseErrors.headTooLarge : outcome;
    if (outcome === 'complete' && this.end - start > this.#limits.headBytes) return parseErrors.headTooLarge;
    return outcome;
  }

  get interim(): boolean {
    return this.status < 200;
  }

  get hasStrayLength(): boolean {
    return this.contentLength !== -1 && (this.status < 200 || this.status === 204 || this.chunked);
  }

  get namesFields(): boolean {
    return this.connection.named.length > 0;
  }

  get reason(): string {
    const start = this.reasonStart;
    // Nearly all: a short slice is looked up among all strings, which costs more than this.
    if (this.reasonEnd - start === 2 && this.#bytes[start] === 0x4f && this.#bytes[start + 1] === 0x4b) return 'OK';
    return this.#read.slice(this.reasonStart, this.reasonEnd);
  }

  header(name: string): string | undefined {
    return this.#read.header(name);
  }

  hasAny(marked: Uint8Array): boolean {
    return this.#read.hasAny(marked);
  }

  fieldsWithout(dropped: Uint8Array): string {
    return this.#read.linesWithout(dropped);
  }

  flat(): string[] {
    return this.#read.flat();
  }

  flatWithout(dropped: Uint8Array): string[] {
    return this.#read.flatWithout(dropped);
  }

  /** The text of a complete head, made when it is first requested. */
  get #read(): HeadText {
    const base = this.reasonStart;
    this.#text ??= new HeadText(this.#bytes.toString('latin1', base, this.end), base, this.fields);
    return this.#text;
  }

  framingFor(method: string): BodyFraming {
    if (this.status < 200 || this.status === 204 || this.status === 304 || method === 'HEAD') return 'none';
    if (this.chunked) return 'chunked';
    if (this.contentLength === -1) return 'until-close';
    return this.contentLength === 0 ? 'none' : 'length';
  }

  /** Whether the endpoint keeps its side of the connection open (RFC 9112, section 9.3). */
  get persistent(): boolean {
    return this.minorVersion === 1 ? !this.connection.close : this.connection.keepAlive && !this.connection.close;
  }

  #parse(bytes: Buffer, start: number, end: number): 'complete' | 'incomplete' | ParseError {
    const line = this.#parseStatusLine(bytes, start, end);
    if (typeof line !== 'number') return line;
    const section = this.fields.parse(bytes, line, end);
    if (section !== 'complete') return section;
    this.end = this.fields.end;
    return this.#validateFields(bytes);
  }

  #parseStatusLine(bytes: Buffer, start: number, end: number): number | 'incomplete' | ParseError {
    let at = start;
    for (let each = 0; each < 7; each++, at++) {
      if (at >= end) return 'incomplete';
      if (bytes[at] !== prefix[each]) return parseErrors.version;
    }
    // The shortest line there is: version's digit, space, three digits, CRLF.
    if (at + 7 > end) return 'incomplete';
    const minor = (bytes[at++] as number) - 0x30;
    if (minor < 0 || minor > 9 || bytes[at++] !== SPACE) return parseErrors.version;
    this.minorVersion = minor === 0 ? 0 : 1;
    let status = 0;
    for (let each = 0; each < 3; each++) {
      const digit = (bytes[at++] as number) - 0x30;
      if (digit < 0 || digit > 9) return parseErrors.version;
      status = status * 10 + digit;
    }
    if (status < 100) return parseErrors.version;
    this.status = status;
    // Some services leave out the space before an empty reason.
    if (bytes[at] === SPACE) at++;
    else if (bytes[at] !== CR) return parseErrors.version;
    this.reasonStart = at;
    while (at < end && valueBytes[bytes[at] as number] === 1) at++;
    this.reasonEnd = at;
    if (at >= end) return 'incomplete';
    if (bytes[at] !== CR) return parseErrors.lineEnding;
    if (at + 1 >= end) return 'incomplete';
    return bytes[at + 1] === LF ? at + 2 : parseErrors.lineEnding;
  }

  #validateFields(bytes: Buffer): 'complete' | ParseError {
    const fields = this.fields;
    let encodings = 0;
    this.contentLength = -1;
    this.chunked = false;
    this.connection = noOptions;
    this.keepAlive = -1;
    for (let index = 0; index < fields.count; index++) {
      switch (fields.field(index)) {
        case Field.contentLength: {
          const length = parseContentLength(bytes, fields.valueStart(index), fields.valueEnd(index));
          if (length === -1) return parseErrors.contentLength;
          if (this.contentLength !== -1) return parseErrors.contentLengthDuplicate;
          this.contentLength = length;
          break;
        }
        case Field.transferEncoding:
          encodings++;
          this.chunked = isWord(bytes, fields.valueStart(index), fields.valueEnd(index), 'chunked');
          if (encodings > 1 || !this.chunked) return parseErrors.transferEncoding;
          break;
        case Field.connection:
          this.connection = connectionOptions(bytes, fields.valueStart(index), fields.valueEnd(index), this.connection);
          break;
        case Field.keepAlive:
          this.keepAlive = index;
          break;
        default:
      }
    }
    this.framingConflict = this.chunked && (this.contentLength !== -1 || this.minorVersion === 0);
    return 'complete';
  }
}

const noBytes = Buffer.alloc(0);
