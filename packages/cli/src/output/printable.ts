/**
 * A text without characters that a terminal would act on: whoever may write a label must not be able to move the cursor of
 * the operator who looks at it. They are shown as JSON escapes them, so JSON stays what it was. Line ends and tabs stay.
 */
export function printable(text: string): string {
  return text.replace(
    /(?![\n\t])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
