const cellBytes = 8;

/** Bytes `from` to `to` of a body that tell where they belong: each 8 of them hold the body's number and their own place. */
export function patternOf(body: number, from: number, to: number): Buffer {
  const first = Math.floor(from / cellBytes);
  const cells = Math.ceil(to / cellBytes) - first;
  const words = new Uint32Array(cells * 2);
  for (let at = 0; at < cells; at += 1) {
    words[at * 2] = body;
    words[at * 2 + 1] = first + at;
  }
  const start = from - first * cellBytes;
  return Buffer.from(words.buffer, start, to - from);
}

/** Compares a body, as it comes, with its pattern. */
export class PatternCheck {
  readonly #body: number;
  bytes = 0;
  /** The first place at which something else came. */
  fault: string | undefined;

  constructor(body: number) {
    this.#body = body;
  }

  add(piece: Uint8Array): void {
    const from = this.bytes;
    this.bytes += piece.length;
    if (this.fault !== undefined) return;
    const expected = patternOf(this.#body, from, this.bytes);
    if (expected.equals(piece)) return;
    let at = 0;
    while (expected[at] === piece[at]) at += 1;
    this.fault = `body ${this.#body} has at ${from + at} ${originOf(Buffer.from(piece.subarray(at, at + 64)))}`;
  }
}

/** Whose bytes they are, where two cells follow each other. */
function originOf(bytes: Buffer): string {
  for (let at = 0; at + 2 * cellBytes <= bytes.length && at < cellBytes; at += 1) {
    const [body, cell] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
    if (bytes.readUInt32LE(at + 8) === body && bytes.readUInt32LE(at + 12) === cell + 1)
      return `those of body ${body} at ${cell * cellBytes - at}`;
  }
  return `foreign bytes, ${bytes.toString('latin1', 0, 24)}`;
}
