/** What the characters of a pattern are in the form that paths are compared in. */

export interface CharacterFault {
  /** Completes "expected …". */
  readonly expected: string;
  readonly suggestion: string;
}

/** Why no compared path holds the character, in whatever spelling; nothing where one may. */
export function whyImpossible(character: string): CharacterFault | undefined {
  switch (character) {
    case '?':
      return { expected: 'no ?: the query is no part of the path', suggestion: 'leave out the ? and what follows it' };
    case '#':
      return { expected: 'no #: clients send no fragment', suggestion: 'leave out the # and what follows it' };
    case ';':
      return {
        expected: 'no parameter: paths are compared without ; and what follows it in a segment',
        suggestion: 'leave out the ; and what follows it: requests with any parameter match',
      };
    default:
      return character < ' ' || character === '\x7f' || /\p{Surrogate}/u.test(character)
        ? { expected: 'no control characters', suggestion: 'leave them out' }
        : undefined;
  }
}

/** Whether a compared path holds the character only percent-encoded. */
export function mustBeEncoded(character: string): boolean {
  return /[^\x21-\x7e]|["<>\\^`{|}]/u.test(character);
}

/** As compared paths hold it: `%C3%BC`. */
export function percentEncoded(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/** What `%` and two hexadecimal digits are in a compared path: a character that needs no encoding, or the digits in upper case. */
export function comparedEscape(hex: string): string {
  const meant = String.fromCharCode(Number.parseInt(hex, 16));
  return /^[A-Za-z0-9\-._~:@]$/.test(meant) ? meant : `%${hex.toUpperCase()}`;
}
