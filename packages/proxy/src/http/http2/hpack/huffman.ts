/**
 * The Huffman code of HPACK (RFC 7541, section 5.2 and appendix B). The code is canonical: codes of one length are
 * consecutive, in the order of their symbols, so that the lengths alone define it.
 */

/** Bits of the code of each byte, and of the end-of-string symbol (256). */
// biome-ignore format: sixteen symbols a line, as a table
const codeLengths: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];

const endOfString = 256;
const codes = canonicalCodes();

function canonicalCodes(): Uint32Array {
  const order = codeLengths.map((_, symbol) => symbol);
  order.sort((one, other) => length(one) - length(other) || one - other);
  const assigned = new Uint32Array(codeLengths.length);
  let code = 0;
  let bits = length(order[0] as number);
  order.forEach((symbol, rank) => {
    // Codes have up to 30 bits: a shift by the difference stays below 2^31.
    if (rank > 0) code = (code + 1) << (length(symbol) - bits);
    bits = length(symbol);
    assigned[symbol] = code;
  });
  return assigned;
}

function length(symbol: number): number {
  return codeLengths[symbol] as number;
}

/** Bits of an automaton's transition: the next state below, then the byte that is complete, then marks. */
const SYMBOL_SHIFT = 8;
const EMITS = 1 << 16;
const FAILS = 1 << 17;
/** The string may end in the next state: what is left over is less than 8 bits of ones (RFC 7541, section 5.2). */
const ACCEPTS = 1 << 18;

/**
 * The decoder as an automaton that takes four bits at a time. A state is an inner node of the code's tree (there are
 * 256 of them); the shortest code has 5 bits, so that a step completes at most one byte.
 */
const transitions = buildTransitions();

function buildTransitions(): Uint32Array {
  // Inner nodes: children as node number, or as -1 - symbol.
  const children: [number, number][] = [[0, 0]];
  codeLengths.forEach((bits, symbol) => {
    let node = 0;
    for (let bit = bits - 1; bit >= 0; bit--) {
      const side = ((codes[symbol] as number) >>> bit) & 1;
      const pair = children[node] as [number, number];
      if (bit === 0) pair[side] = -1 - symbol;
      else {
        if (pair[side] === 0) {
          pair[side] = children.length;
          children.push([0, 0]);
        }
        node = pair[side] as number;
      }
    }
  });
  const mayEnd = new Uint8Array(children.length);
  for (let node = 0, depth = 0; depth < 8; depth++) {
    mayEnd[node] = 1;
    node = (children[node] as [number, number])[1];
  }
  const table = new Uint32Array(children.length * 16);
  for (let state = 0; state < children.length; state++) {
    for (let nibble = 0; nibble < 16; nibble++) table[state * 16 + nibble] = step(children, mayEnd, state, nibble);
  }
  return table;
}

function step(children: readonly [number, number][], mayEnd: Uint8Array, state: number, nibble: number): number {
  let node = state;
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const child = (children[node] as [number, number])[(nibble >>> bit) & 1] as number;
    if (child >= 0) node = child;
    else {
      // An end-of-string symbol within the string is an error (RFC 7541, section 5.2).
      if (child === -1 - endOfString) return FAILS;
      emitted = EMITS | ((-1 - child) << SYMBOL_SHIFT);
      node = 0;
    }
  }
  return node | emitted | (mayEnd[node] === 1 ? ACCEPTS : 0);
}

/** At most so many bytes come out of `length` coded ones: the shortest code has 5 bits. */
export function mostDecodedBytes(length: number): number {
  return Math.ceil((length * 8) / 5);
}

/**
 * Decodes into `target` from its beginning, which must have room for `mostDecodedBytes`.
 * @returns the number of bytes written, or -1 where padding or a code is wrong.
 */
export function decodeHuffman(bytes: Uint8Array, from: number, to: number, target: Uint8Array): number {
  let state = 0;
  let written = 0;
  let last = ACCEPTS;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    const high = transitions[(state << 4) | (byte >>> 4)] as number;
    if ((high & EMITS) !== 0) target[written++] = high >>> SYMBOL_SHIFT;
    const low = transitions[((high & 0xff) << 4) | (byte & 0xf)] as number;
    if ((low & EMITS) !== 0) target[written++] = low >>> SYMBOL_SHIFT;
    state = low & 0xff;
    // A failed step has no successor: the mark must survive the steps behind it.
    if (((high | low) & FAILS) !== 0) return -1;
    last = low;
  }
  return (last & ACCEPTS) === 0 ? -1 : written;
}

/** Bytes of a string when coded. Characters above 0xff are not allowed. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let at = 0; at < text.length; at++) bits += codeLengths[text.charCodeAt(at)] as number;
  return (bits + 7) >>> 3;
}

/** Writes a string's code to `target` at `at`, filled up with ones. Returns the place behind it. */
export function encodeHuffman(text: string, target: Uint8Array, at: number): number {
  let place = at;
  // At most 7 bits wait from one symbol to the next: with 30 more they pass 32, so that long codes go in two halves.
  let waiting = 0;
  let bits = 0;
  for (let index = 0; index < text.length; index++) {
    const symbol = text.charCodeAt(index);
    let left = codeLengths[symbol] as number;
    const code = codes[symbol] as number;
    if (left > 16) {
      left -= 16;
      waiting = (waiting << left) | (code >>> 16);
      bits += left;
      while (bits >= 8) {
        bits -= 8;
        target[place++] = waiting >>> bits;
      }
      left = 16;
    }
    waiting = (waiting << left) | (code & 0xffff & ((1 << left) - 1));
    bits += left;
    while (bits >= 8) {
      bits -= 8;
      target[place++] = waiting >>> bits;
    }
    waiting &= 0xff;
  }
  if (bits > 0) target[place++] = (waiting << (8 - bits)) | (0xff >>> bits);
  return place;
}
