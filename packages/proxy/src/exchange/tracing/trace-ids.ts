import { randomFillSync } from 'node:crypto';

const idBytes = 24;
const idsPerFilling = 640;
const linesPerText = 64;

const lineStart = 'traceparent: 00-';
const valueAt = 'traceparent: '.length;
const traceAt = lineStart.length;
const spanAt = traceAt + 33;
const spanEnd = spanAt + 16;
const lineEnd = '-00\r\n';
const lineLength = spanEnd + lineEnd.length;

/** Two hex digits for every byte. */
const hexDigits = Uint8Array.from(
  Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0')).join(''),
  (digit) => digit.charCodeAt(0),
);

/** A trace that begins here, as the header line that an endpoint gets of it. */
export interface TraceLine {
  /** `traceparent: 00-<trace id>-<span id>-00` with its CRLF. */
  readonly line: string;
  /** From 0 to below 1: the lot that decides on sampling, of the random bytes that OpenTelemetry's ratio samplers use. */
  readonly lot: number;
}

export function traceIdIn(line: string): string {
  return line.slice(traceAt, traceAt + 32);
}

export function spanIdIn(line: string): string {
  return line.slice(spanAt, spanEnd);
}

/** The value that the line has. */
export function traceParentIn(line: string): string {
  return line.slice(valueAt, -2);
}

/** The line of a trace that is sampled: flags 01. */
export function sampledLine(line: string): string {
  return `${line.slice(0, spanEnd)}-01\r\n`;
}

/**
 * Random ids, made as whole header lines, 64 in one text: a request that is not sampled takes one slice of it, 0.1 µs with its
 * share of the making. One call of the system's randomness for each request would cost 2 µs. An id of zeros, which W3C
 * forbids, is as likely as a guessed key. The texts are small, so that they are gone before they reach the old generation.
 */
export class TraceIds implements TraceLine {
  readonly #fill: (bytes: Uint8Array) => void;
  readonly #bytes = new Uint8Array(idBytes * idsPerFilling);
  readonly #lines = Buffer.allocUnsafeSlow(lineLength * linesPerText);
  #text = '';
  /** Of the next id, in `#bytes`. */
  #at = this.#bytes.length;
  line = '';
  lot = 0;

  /** @param fill default: the system's randomness */
  constructor(fill: (bytes: Uint8Array) => void = (bytes) => randomFillSync(bytes)) {
    this.#fill = fill;
    for (let at = 0; at < this.#lines.length; at += lineLength) {
      this.#lines.write(lineStart, at, 'latin1');
      this.#lines[at + spanAt - 1] = 0x2d;
      this.#lines.write(lineEnd, at + spanEnd, 'latin1');
    }
  }

  /** The next trace. One object is used for all: it holds until the next call. */
  next(): TraceLine {
    if (this.#at === this.#bytes.length) {
      this.#fill(this.#bytes);
      this.#at = 0;
    }
    const within = (this.#at / idBytes) % linesPerText;
    if (within === 0) this.#writeLines(this.#at);
    this.line = this.#text.slice(within * lineLength, (within + 1) * lineLength);
    this.lot = lotAt(this.#bytes, this.#at + 9);
    this.#at += idBytes;
    return this;
  }

  #writeLines(from: number): void {
    const bytes = this.#bytes;
    const lines = this.#lines;
    let byte = from;
    for (let line = 0; line < lines.length; line += lineLength) {
      let at = line + traceAt;
      for (let each = 0; each < idBytes; each += 1) {
        const digits = 2 * (bytes[byte++] as number);
        lines[at] = hexDigits[digits] as number;
        lines[at + 1] = hexDigits[digits + 1] as number;
        at += each === 15 ? 3 : 2;
      }
    }
    this.#text = lines.toString('latin1');
  }
}

/** The first 32 of the 56 bits that are random by W3C Trace Context Level 2 (section 3.2.2.3): the end of a trace id. */
function lotAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) * 0x1_00_00_00 +
      ((bytes[at + 1] as number) << 16) +
      ((bytes[at + 2] as number) << 8) +
      (bytes[at + 3] as number)) /
    2 ** 32
  );
}
