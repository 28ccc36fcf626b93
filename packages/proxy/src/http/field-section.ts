import { COLON, CR, FOLDS, LF, SPACE, TAB, tokenBytes, valueBytes } from './byte-tables.ts';
import { type ParseError, parseErrors } from './parse-error.ts';

/** Fields that forwarding treats specially. 0 is every other one. */
export const Field = {
  other: 0,
  host: 1,
  connection: 2,
  contentLength: 3,
  transferEncoding: 4,
  expect: 5,
  upgrade: 6,
  keepAlive: 7,
  proxyConnection: 8,
  te: 9,
  proxyAuthenticate: 10,
  proxyAuthorization: 11,
  forwardedFor: 12,
  forwardedProto: 13,
  forwardedHost: 14,
  forwardedPort: 15,
  forwarded: 16,
  via: 17,
  requestId: 18,
  trailer: 19,
  /** A name with another symbol than hyphens: a service may read it as one of the above. */
  folding: 20,
  hops: 21,
  realIp: 22,
  cookie: 23,
  setCookie: 24,
} as const;

export const knownNames: readonly (readonly [string, number])[] = [
  ['host', Field.host],
  ['connection', Field.connection],
  ['content-length', Field.contentLength],
  ['transfer-encoding', Field.transferEncoding],
  ['expect', Field.expect],
  ['upgrade', Field.upgrade],
  ['keep-alive', Field.keepAlive],
  ['proxy-connection', Field.proxyConnection],
  ['te', Field.te],
  ['proxy-authenticate', Field.proxyAuthenticate],
  ['proxy-authorization', Field.proxyAuthorization],
  ['x-forwarded-for', Field.forwardedFor],
  ['x-forwarded-proto', Field.forwardedProto],
  ['x-forwarded-host', Field.forwardedHost],
  ['x-forwarded-port', Field.forwardedPort],
  ['forwarded', Field.forwarded],
  ['via', Field.via],
  ['x-request-id', Field.requestId],
  ['trailer', Field.trailer],
  ['swarmgate-hops', Field.hops],
  ['x-real-ip', Field.realIp],
  ['cookie', Field.cookie],
  ['set-cookie', Field.setCookie],
];

interface KnownName {
  readonly bytes: Uint8Array;
  readonly field: number;
}

/** By length: length and first letter distinguish most names of a request. */
const knownByLength: readonly (readonly KnownName[])[] = Array.from({ length: 32 }, (_, length) =>
  knownNames
    .filter(([name]) => name.length === length)
    .map(([name, field]) => ({ bytes: Uint8Array.from(name, (letter) => letter.charCodeAt(0)), field })),
);

function recognize(bytes: Uint8Array, from: number, to: number): number {
  const candidates = knownByLength[to - from];
  if (candidates === undefined) return Field.other;
  next: for (let each = 0; each < candidates.length; each++) {
    const known = candidates[each] as KnownName;
    for (let at = 0; at < known.bytes.length; at++) {
      // Setting bit 5 lowers a letter; no other token byte becomes a letter or hyphen by it.
      if (((bytes[from + at] as number) | 0x20) !== known.bytes[at]) continue next;
    }
    return known.field;
  }
  return Field.other;
}

/** Numbers kept for each field: name start and end, value start and end (without whitespace around it), `Field`. */
const STRIDE = 5;

/**
 * The fields of one head, as places in the bytes that were parsed: nothing is copied. One object is used for head after
 * head; a field that is needed later must be copied at once.
 */
export class FieldSection {
  count = 0;
  /** Just behind the empty line. Only valid after a complete parse. */
  end = 0;
  readonly #places: Int32Array;
  readonly #mostFields: number;

  constructor(mostFields: number) {
    this.#mostFields = mostFields;
    this.#places = new Int32Array(mostFields * STRIDE);
  }

  field(index: number): number {
    return this.#places[index * STRIDE + 4] as number;
  }

  /** Where the field's line begins: its name's first byte. */
  lineStart(index: number): number {
    return this.#places[index * STRIDE] as number;
  }

  nameEnd(index: number): number {
    return this.#places[index * STRIDE + 1] as number;
  }

  valueStart(index: number): number {
    return this.#places[index * STRIDE + 2] as number;
  }

  valueEnd(index: number): number {
    return this.#places[index * STRIDE + 3] as number;
  }

  /** Where the next line begins. */
  lineEnd(index: number): number {
    return index + 1 < this.count ? this.lineStart(index + 1) : this.end - 2;
  }

  /**
   * Parses from the first field's line to the empty line that ends the head (RFC 9112, section 5), strictly: CRLF only,
   * no folding, no whitespace before the colon.
   */
  parse(bytes: Uint8Array, start: number, end: number): 'complete' | 'incomplete' | ParseError {
    const places = this.#places;
    let at = start;
    let count = 0;
    for (;;) {
      if (at >= end) return 'incomplete';
      const first = bytes[at] as number;
      if (first === CR) {
        if (at + 1 >= end) return 'incomplete';
        if (bytes[at + 1] !== LF) return parseErrors.lineEnding;
        this.count = count;
        this.end = at + 2;
        return 'complete';
      }
      if (first === SPACE || first === TAB) return parseErrors.obsFold;
      const nameStart = at;
      let seen = 0;
      let kind = tokenBytes[first] as number;
      while (kind !== 0) {
        seen |= kind;
        if (++at >= end) return 'incomplete';
        kind = tokenBytes[bytes[at] as number] as number;
      }
      if (bytes[at] !== COLON || at === nameStart) {
        return bytes[at] === LF || bytes[at] === CR ? parseErrors.lineEnding : parseErrors.fieldName;
      }
      const nameEnd = at++;
      while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
      const valueStart = at;
      while (at < end && valueBytes[bytes[at] as number] === 1) at++;
      if (at >= end) return 'incomplete';
      if (bytes[at] !== CR) return bytes[at] === LF ? parseErrors.lineEnding : parseErrors.fieldValue;
      if (at + 1 >= end) return 'incomplete';
      if (bytes[at + 1] !== LF) return parseErrors.lineEnding;
      let valueEnd = at;
      while (valueEnd > valueStart && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === TAB)) valueEnd--;
      at += 2;
      if (count === this.#mostFields) return parseErrors.tooManyFields;
      const place = count++ * STRIDE;
      places[place] = nameStart;
      places[place + 1] = nameEnd;
      places[place + 2] = valueStart;
      places[place + 3] = valueEnd;
      places[place + 4] = (seen & FOLDS) !== 0 ? Field.folding : recognize(bytes, nameStart, nameEnd);
    }
  }
}

/** `true` if the bytes are this lower-case word, letters in any case. */
export function isWord(bytes: Uint8Array, from: number, to: number, word: string): boolean {
  if (to - from !== word.length) return false;
  for (let at = 0; at < word.length; at++) {
    const byte = bytes[from + at] as number;
    const lowered = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    if (lowered !== word.charCodeAt(at)) return false;
  }
  return true;
}

/** A Content-Length (RFC 9110, section 8.6): digits only, at most 15 of them so that it is an exact number. Else -1. */
export function parseContentLength(bytes: Uint8Array, from: number, to: number): number {
  if (to === from || to - from > 15) return -1;
  let length = 0;
  for (let at = from; at < to; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}
