import { closerOf, endOfQuote } from '../values/split.ts';

/** One value of a middleware: `option=value`, or a value without a name. */
export interface CallArgument {
  readonly option?: string;
  readonly value: string;
}

/** `name(argument, …)`. */
export interface Call {
  readonly name: string;
  readonly arguments: readonly CallArgument[];
}

/**
 * Reads the middlewares that a label's value lists. Pure, never throws, linear in the text's length.
 *
 * | written | read as |
 * |---|---|
 * | `/api, /v1` | two values without a name, trimmed |
 * | `prefixes=/api` | a value of the option `prefixes`; an option begins with a letter and holds letters, digits, `.`, `-` and `_` |
 * | `"a, b"`, `'…'`, `name="…"` | the text between the quotes; inside, `\` takes the meaning from the quote and from `\` |
 * | `^/(a,b)/[,)]` | one value: separators inside closed brackets do not cut |
 * | `\,` | a separator as text; before any other character `\` stays |
 */
export function readArguments(text: string, separator: string): readonly CallArgument[] {
  const reader = new Reader(text, separator);
  return reader.arguments('');
}

/** `name(…), name, …`: the calls in order, or what was expected instead. */
export function readCalls(text: string, separator: string): readonly Call[] | string {
  return new Reader(text, separator).calls();
}

const optionName = /^[A-Za-z][A-Za-z0-9._-]*$/;

class Reader {
  readonly #text: string;
  readonly #separator: string;
  readonly #closes: ReadonlyMap<number, number>;
  #at = 0;

  constructor(text: string, separator: string) {
    this.#text = text;
    this.#separator = separator === '' ? ',' : separator;
    this.#closes = closedBrackets(text);
  }

  calls(): readonly Call[] | string {
    const found: Call[] = [];
    for (;;) {
      this.#skipBlanks();
      const name = /^[A-Za-z0-9]*/.exec(this.#text.slice(this.#at))?.[0] ?? '';
      this.#at += name.length;
      this.#skipBlanks();
      let values: readonly CallArgument[] = [];
      if (this.#text.charAt(this.#at) === '(') {
        this.#at += 1;
        values = this.arguments(')');
        if (this.#text.charAt(this.#at) !== ')') return 'a closing parenthesis behind the options of a middleware';
        this.#at += 1;
        this.#skipBlanks();
      }
      // Empty parts are dropped, as in every list label.
      if (name !== '') found.push({ name, arguments: values });
      if (this.#at >= this.#text.length) return found;
      if (!this.#takeSeparator()) return 'the name of a middleware, its options in parentheses';
    }
  }

  /** Up to `end`, which stays unread, or to the end of the text. */
  arguments(end: string): readonly CallArgument[] {
    const found: CallArgument[] = [];
    for (;;) {
      const read = this.#argument(end);
      if (read !== undefined) found.push(read);
      if (!this.#takeSeparator()) return found;
    }
  }

  #argument(end: string): CallArgument | undefined {
    this.#skipBlanks();
    const quoted = this.#quoted(end);
    if (quoted !== undefined) return { value: quoted };
    let value = '';
    let option: string | undefined;
    while (this.#at < this.#text.length && !this.#isAtSeparator()) {
      const character = this.#text.charAt(this.#at);
      if (character === end) break;
      if (character === '=' && option === undefined && optionName.test(value.trim())) {
        option = value.trim();
        this.#at += 1;
        this.#skipBlanks();
        const text = this.#quoted(end);
        if (text !== undefined) return { option, value: text };
        value = '';
        continue;
      }
      const close = this.#closes.get(this.#at);
      if (close !== undefined) {
        value += this.#text.slice(this.#at, close + 1);
        this.#at = close + 1;
      } else if (character === '\\') {
        this.#at += 1;
        if (this.#isAtSeparator()) {
          value += this.#separator;
          this.#at += this.#separator.length;
        } else {
          value += `\\${this.#text.charAt(this.#at)}`;
          this.#at += 1;
        }
      } else {
        value += character;
        this.#at += 1;
      }
    }
    const trimmed = value.trim();
    if (option !== undefined) return { option, value: trimmed };
    return trimmed === '' ? undefined : { value: trimmed };
  }

  /** The text of quotes that hold a whole value; else nothing, and nothing is read. */
  #quoted(end: string): string | undefined {
    const quote = this.#text.charAt(this.#at);
    if (quote !== '"' && quote !== "'") return undefined;
    let at = this.#at + 1;
    let value = '';
    for (; at < this.#text.length && this.#text.charAt(at) !== quote; at += 1) {
      const next = this.#text.charAt(at + 1);
      if (this.#text.charAt(at) === '\\' && (next === quote || next === '\\')) at += 1;
      value += this.#text.charAt(at);
    }
    if (at >= this.#text.length) return undefined;
    const behind = this.#text.slice(at + 1).trimStart();
    if (behind !== '' && !behind.startsWith(this.#separator) && (end === '' || !behind.startsWith(end)))
      return undefined;
    this.#at = at + 1;
    this.#skipBlanks();
    return value;
  }

  #isAtSeparator(): boolean {
    return this.#text.startsWith(this.#separator, this.#at);
  }

  #takeSeparator(): boolean {
    if (!this.#isAtSeparator() || this.#at >= this.#text.length) return false;
    this.#at += this.#separator.length;
    return true;
  }

  #skipBlanks(): void {
    while (/\s/.test(this.#text.charAt(this.#at)) && !this.#isAtSeparator()) this.#at += 1;
  }
}

/** Where each bracket that is closed ends. A backslash takes a bracket's meaning, and so does a quoted value around it. */
function closedBrackets(text: string): ReadonlyMap<number, number> {
  const closes = new Map<number, number>();
  const open: { readonly at: number; readonly closer: string }[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    const innermost = open.at(-1);
    if (character === '\\') at += 1;
    else if ((character === '"' || character === "'") && /(^|[=(,;]\s*)$/.test(text.slice(Math.max(0, at - 3), at))) {
      const close = endOfQuote(text, at);
      if (close !== undefined) at = close;
    } else if (innermost?.closer === ']' && character !== ']') continue;
    else if (closerOf[character] !== undefined) open.push({ at, closer: closerOf[character] });
    else if (character === innermost?.closer) {
      closes.set(innermost.at, at);
      open.pop();
    }
  }
  return closes;
}
