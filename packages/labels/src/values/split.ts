/** One part of a list. */
export interface ListPart {
  /** Trimmed, without escapes of the separator and without the quotes around the whole part. */
  readonly text: string;
  /** The part stood in quotes as a whole. */
  readonly quoted: boolean;
}

export interface SplitOptions {
  /** Quotes also delimit what follows the first one of these characters in a part: `X-Name:"a,b"` with `:`. */
  readonly quotedAfter?: string;
}

/**
 * Cuts a list at its separator. Not a cut:
 *
 * | written | becomes |
 * |---|---|
 * | `\,` | `,` (the backslash goes; before any other character it stays: `\d`) |
 * | `"a,b"`, `'a,b'` as a whole part | `a,b`; inside, `\"` is a quote and every other backslash stays |
 * | `{1,3}`, `(a,b)`, `[,;]`: closed brackets | unchanged; a bracket that is not closed protects nothing |
 *
 * A quote inside a part is data. Linear in the text's length.
 */
export function splitParts(text: string, separator: string, { quotedAfter }: SplitOptions = {}): readonly ListPart[] {
  const closes = closingBrackets(text);
  const parts: ListPart[] = [];
  let part = '';
  let quotable = true;
  let quoted = false;
  const end = () => {
    parts.push({ text: quoted ? part : part.trim(), quoted });
    part = '';
    quotable = true;
    quoted = false;
  };
  for (let at = 0; at < text.length; ) {
    const character = text.charAt(at);
    if (text.startsWith(separator, at)) {
      end();
      at += separator.length;
      continue;
    }
    if (character === '\\') {
      const isEscaped = text.startsWith(separator, at + 1);
      part += isEscaped ? separator : text.slice(at, at + 2);
      at += isEscaped ? 1 + separator.length : 2;
      quotable = false;
      continue;
    }
    if (quotable && (character === '"' || character === "'")) {
      const close = closingQuote(text, at, separator);
      if (close !== undefined) {
        const inner = text.slice(at + 1, close.at).replaceAll(`\\${character}`, character);
        quoted = part.trim() === '';
        part = quoted ? inner : `${part}${inner}`;
        at = close.next;
        continue;
      }
    }
    const close = closes.get(at);
    if (close !== undefined) {
      part += text.slice(at, close + 1).replaceAll(`\\${separator}`, separator);
      at = close + 1;
      quotable = false;
      continue;
    }
    part += character;
    if (character === quotedAfter) quotable = true;
    else if (!/\s/.test(character)) quotable = false;
    at += 1;
  }
  end();
  return parts;
}

/** Where the quote that opens at `open` closes, when only blanks follow up to `next`, a separator or the end. */
function closingQuote(
  text: string,
  open: number,
  separator: string,
): { readonly at: number; readonly next: number } | undefined {
  const at = endOfQuote(text, open);
  if (at === undefined) return undefined;
  for (let next = at + 1; ; next += 1) {
    if (next >= text.length || text.startsWith(separator, next)) return { at, next };
    if (!/\s/.test(text.charAt(next))) return undefined;
  }
}

/** Where the quote that opens at `open` closes; a backslash takes the next character's meaning away. */
export function endOfQuote(text: string, open: number): number | undefined {
  const quote = text.charAt(open);
  let at = open + 1;
  while (at < text.length && text.charAt(at) !== quote) at += text.charAt(at) === '\\' ? 2 : 1;
  return at < text.length ? at : undefined;
}

/** Each opening bracket's closing one. */
export const closerOf: Readonly<Record<string, string>> = { '(': ')', '{': '}', '[': ']' };

/**
 * Every outermost bracket's place, and the place where it closes. As in expressions, a backslash takes the next character's
 * meaning away, and inside `[…]` the others have none.
 */
function closingBrackets(text: string): ReadonlyMap<number, number> {
  const closes = new Map<number, number>();
  const open: { readonly at: number; readonly closer: string }[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    const innermost = open.at(-1);
    if (character === '\\') at += 1;
    else if (innermost?.closer === ']') {
      // `[]` and `[^]` begin a class that holds the bracket itself.
      const isFirst = at === innermost.at + 1 || (at === innermost.at + 2 && text.charAt(at - 1) === '^');
      if (character === ']' && !isFirst) {
        closes.set(innermost.at, at);
        open.pop();
      }
    } else if (closerOf[character] !== undefined) open.push({ at, closer: closerOf[character] });
    else if (character === innermost?.closer) {
      closes.set(innermost.at, at);
      open.pop();
    }
  }
  return closes;
}
