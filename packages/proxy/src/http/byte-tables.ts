/**
 * Which bytes may stand where (RFC 9110 section 5.6.2, RFC 9112 sections 2 and 3). A table is one load per byte, which
 * is what makes a strict parser cost as little as a lax one. 0 is refused; bits above the first mark bytes that a
 * parser needs after the scan.
 */
function table(classOf: (byte: number, character: string) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => classOf(byte, String.fromCharCode(byte)));
}

const tokenCharacters = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** Bit of `tokenBytes`: the name holds a symbol that some services read as a hyphen (CGI folds names). */
export const FOLDS = 2;

/** `tchar`: methods and field names. */
export const tokenBytes = table((_, character) =>
  tokenCharacters.includes(character) ? (/[-0-9A-Za-z]/.test(character) ? 1 : 1 | FOLDS) : 0,
);

/** `field-vchar`, space, tab and obs-text: what a field value may hold. No CR, LF, NUL or other control. */
export const valueBytes = table((byte) => (byte === 0x09 || (byte >= 0x20 && byte !== 0x7f) ? 1 : 0));

/** Bit of `targetBytes`: a path with this byte may not be in normal form, or has readings beside it (`;`). */
export const NEEDS_NORMALIZING = 2;

/** Visible ASCII without `#`: a fragment never belongs into a request target. */
export const targetBytes = table((byte, character) => {
  if (byte <= 0x20 || byte >= 0x7f || character === '#') return 0;
  return '%\\"<>^`{|};'.includes(character) ? 1 | NEEDS_NORMALIZING : 1;
});

/** Value of a hexadecimal digit, or 255. */
export const hexDigits = table((_, character) => {
  const digit = '0123456789abcdef'.indexOf(character.toLowerCase());
  return digit === -1 ? 255 : digit;
});

export const CR = 0x0d;
export const LF = 0x0a;
export const SPACE = 0x20;
export const TAB = 0x09;
export const COLON = 0x3a;
