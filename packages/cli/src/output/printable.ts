/**
 * The text with the characters escaped that a terminal acts on, so that a label cannot control the terminal of an operator.
 * The escapes are those of JSON, so JSON keeps its meaning. Line ends and tabs stay.
 */
export function printable(text: string): string {
  return text.replace(
    /(?![\n\t])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
