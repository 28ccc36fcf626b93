import { foldedName } from '../model/header-list.ts';
import { CR, hexDigits, LF, tokenBytes, valueBytes } from './byte-tables.ts';
import { type ParseError, parseErrors } from './parse-error.ts';

/** Where in a chunked body the next byte belongs (RFC 9112, section 7.1). */
type ChunkState = 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailer' | 'done';

const mostTrailerBytes = 8_192;
const mostExtensionBytes = 4_096;
/**
 * Bytes of extensions in a body beyond what its payload explains: 16 for each chunk and 2 for each byte of payload. A byte of
 * an extension costs ten times as much as one of payload, and nothing that counts payload sees it.
 */
const mostExcessBytes = 16_384;
// Names with or without a value, a token or a quoted string with its escapes, no whitespace around them (RFC 9112, section
// 7.1.1): what stands here is dropped or passed on unread, so it must not be anything that another parser could read as more.
const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const quoted = '"(?:[\\t !#-[\\]-~]|\\\\[\\t -~])*"';
const extension = `${token}(?:=(?:${token}|${quoted}))?`;
const extensions = new RegExp(`^${extension}(?:;${extension})*$`);
// 2^48: far more than any body, and exact as a number.
const mostSizeDigits = 12;

/**
 * Follows a chunked body through however many pieces it comes in. Strict: CRLF only, sizes in plain hexadecimal. It
 * moves no bytes: `read` reports which bytes are payload, and which may be passed on unchanged.
 */
export class ChunkedReader {
  /** Where this body ends in the last piece; the piece's end if it goes on. */
  consumed = 0;
  /** Up to here the last piece is whole chunks and parts of chunks, without the last chunk and the trailers. */
  framedEnd = 0;
  /** The beginning of a size line that an earlier piece ended in: stands before the last piece's framed bytes. */
  carried = '';
  #state: ChunkState = 'size';
  #line = '';
  #sizeDigits = 0;
  #left = 0;
  #extension = '';
  #excess = 0;
  #afterCr = false;
  #trailer = '';

  get done(): boolean {
    return this.#state === 'done';
  }

  /** The trailer section's lines, CRLF at the end of each, or empty. Valid once `done`. */
  get trailers(): string {
    return this.#trailer;
  }

  /**
   * Reads one piece and sets `consumed`, `framedEnd` and `carried`. `payload` gets the places of body bytes within it. An
   * error ends the body: the following bytes are undefined.
   */
  read(
    bytes: Buffer,
    start: number,
    end: number,
    payload?: (from: number, to: number) => void,
  ): ParseError | undefined {
    let at = start;
    let lineStart = start;
    this.framedEnd = start;
    this.carried = '';
    while (at < end && this.#state !== 'done') {
      if (this.#state === 'data') {
        const to = Math.min(end, at + this.#left);
        payload?.(at, to);
        this.#left -= to - at;
        at = to;
        this.framedEnd = at;
        if (this.#left === 0) this.#state = 'data-cr';
      } else if (this.#state === 'trailer') {
        const next = this.#readTrailer(bytes, at, end);
        if (typeof next !== 'number') return next;
        at = next;
      } else {
        if (this.#state === 'size' && this.#sizeDigits === 0) {
          const small = smallChunk(bytes, at, end);
          if (small > 0) {
            payload?.(at + 3, at + 3 + small);
            at += small + 5;
            this.framedEnd = at;
            continue;
          }
          lineStart = at;
        }
        const error = this.#readFraming(bytes[at] as number);
        if (error !== undefined) return error;
        at++;
        // A size line is passed on only once it is known not to be the last chunk's.
        if (!this.#inSizeLine() && !this.#atEnd()) {
          this.framedEnd = at;
          if (this.#line !== '') {
            this.carried = this.#line;
            this.#line = '';
          }
        }
      }
    }
    this.consumed = at;
    if (this.#inSizeLine()) this.#line += bytes.toString('latin1', lineStart, end);
    return undefined;
  }

  #inSizeLine(): boolean {
    return this.#state === 'extension' || this.#state === 'size-lf' || (this.#state === 'size' && this.#sizeDigits > 0);
  }

  #atEnd(): boolean {
    return this.#state === 'trailer' || this.#state === 'done';
  }

  #readFraming(byte: number): ParseError | undefined {
    switch (this.#state) {
      case 'size': {
        const digit = hexDigits[byte] as number;
        if (digit !== 255) {
          if (++this.#sizeDigits > mostSizeDigits) return parseErrors.chunk;
          this.#left = this.#left * 16 + digit;
          return undefined;
        }
        if (this.#sizeDigits === 0) return parseErrors.chunk;
        if (byte === 0x3b) this.#state = 'extension';
        else if (byte === CR) this.#state = 'size-lf';
        else return parseErrors.chunk;
        return undefined;
      }
      case 'extension':
        if (byte === CR) {
          if (!extensions.test(this.#extension)) return parseErrors.chunk;
          this.#excess = Math.max(0, this.#excess + this.#extension.length - 16 - 2 * this.#left);
          if (this.#excess > mostExcessBytes) return parseErrors.chunk;
          this.#extension = '';
          this.#state = 'size-lf';
        } else if (valueBytes[byte] === 0 || this.#extension.length >= mostExtensionBytes) return parseErrors.chunk;
        else this.#extension += String.fromCharCode(byte);
        return undefined;
      case 'size-lf':
        if (byte !== LF) return parseErrors.chunk;
        this.#state = this.#left === 0 ? 'trailer' : 'data';
        this.#sizeDigits = 0;
        return undefined;
      case 'data-cr':
        if (byte !== CR) return parseErrors.chunk;
        this.#state = 'data-lf';
        return undefined;
      default:
        if (byte !== LF) return parseErrors.chunk;
        this.#state = 'size';
        return undefined;
    }
  }

  /** Collects trailer lines to the empty one. */
  #readTrailer(bytes: Buffer, start: number, end: number): number | ParseError {
    let at = start;
    while (at < end) {
      const byte = bytes[at++] as number;
      if (this.#afterCr) {
        if (byte !== LF) return parseErrors.trailer;
        this.#afterCr = false;
        if (this.#trailer === '' || this.#trailer.endsWith('\r\n')) {
          this.#state = 'done';
          const error = checkTrailers(this.#trailer);
          return error ?? at;
        }
        this.#trailer += '\r\n';
      } else if (byte === CR) this.#afterCr = true;
      else {
        if (valueBytes[byte] === 0 || this.#trailer.length >= mostTrailerBytes) return parseErrors.trailer;
        this.#trailer += String.fromCharCode(byte);
      }
    }
    return at;
  }
}

/** The size of a whole chunk of 1 to 15 bytes at this place, or 0: thousands of them may come in one piece. */
function smallChunk(bytes: Buffer, at: number, end: number): number {
  if (bytes[at + 1] !== CR || bytes[at + 2] !== LF) return 0;
  const size = hexDigits[bytes[at] as number] as number;
  const after = at + 3 + size;
  return size !== 255 && after + 2 <= end && bytes[after] === CR && bytes[after + 1] === LF ? size : 0;
}

function checkTrailers(text: string): ParseError | undefined {
  for (const line of text.split('\r\n')) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    if (colon < 1) return parseErrors.trailer;
    for (let at = 0; at < colon; at++) if ((tokenBytes[line.charCodeAt(at)] ?? 0) === 0) return parseErrors.trailer;
  }
  return undefined;
}

/**
 * Fields that may not come as trailers because they would change framing, routing or what is trusted (RFC 9110,
 * section 6.5.1). They are dropped, the others pass.
 */
const neverTrailers = new Set([
  'transfer-encoding',
  'content-length',
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
  'content-encoding',
  'content-type',
  'content-range',
  'authorization',
  'proxy-authorization',
  'proxy-authenticate',
  'www-authenticate',
  'cookie',
  'set-cookie',
  'cache-control',
  'expect',
  'forwarded',
  'via',
  'x-real-ip',
  'x-request-id',
  'swarmgate-hops',
]);

/** The lines that may cross, as flat name, value, name, value. */
export function allowedTrailers(trailers: string): string[] {
  const flat: string[] = [];
  for (const line of trailers.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    const name = line.slice(0, colon);
    if (!isAllowedTrailer(name)) continue;
    flat.push(name, line.slice(colon + 1).trim());
  }
  return flat;
}

/** The value of a `Trailer` field with the names that may cross; empty: none of them may. */
export function allowedTrailerNames(value: string): string {
  const names = value.split(',').map((name) => name.trim());
  return names.filter((name) => name !== '' && isAllowedTrailer(name)).join(', ');
}

function isAllowedTrailer(name: string): boolean {
  const folded = foldedName(name);
  return !neverTrailers.has(folded) && !folded.startsWith('x-forwarded-');
}

/** The last chunk with the trailers that may cross. */
export function lastChunk(trailers: string): string {
  if (trailers === '') return '0\r\n\r\n';
  let lines = '';
  const flat = allowedTrailers(trailers);
  for (let at = 0; at < flat.length; at += 2) lines += `${flat[at]}: ${flat[at + 1]}\r\n`;
  return `0\r\n${lines}\r\n`;
}
