import { not, ok, type ParsedLabel, type Value } from './value.ts';

/** A plug-in that requests of a route pass, and the options that its middleware is made with. */
export interface PluginUse {
  /** Of the file in `PLUGINS_DIR`, without its extension. */
  readonly name: string;
  readonly options?: PluginOptions;
}

export type PluginOptions = Readonly<Record<string, PluginOption>>;
export type PluginOption = string | number | boolean;

/** What one destination may name at most. */
export const pluginBounds = { plugins: 20, options: 50, nameCharacters: 64, valueCharacters: 4_000 } as const;

const namePattern = new RegExp(`^[A-Za-z0-9][A-Za-z0-9_-]{0,${pluginBounds.nameCharacters - 1}}$`);
const optionPattern = new RegExp(`^[A-Za-z_$][A-Za-z0-9_$-]{0,${pluginBounds.nameCharacters - 1}}$`);

/** Names of plug-ins: a file's name without its extension. */
export function isPluginName(text: string): boolean {
  return namePattern.test(text);
}

/** Names that mean something to every object are refused: an assignment by such a name changes more than one option. */
function isOptionName(text: string): boolean {
  return optionPattern.test(text) && text !== '__proto__' && text !== 'constructor' && text !== 'prototype';
}

/**
 * `name(option=value, …), …`. The parts are separated by `SEPARATOR`, inside the parentheses too.
 *
 * | written | value |
 * |---|---|
 * | `a=text` | `'text'`, trimmed; `\` before a separator, a quote, a parenthesis or `\` takes its meaning away, before any other character it stays |
 * | `a="x, (y)"`, `a='…'` | the text between the quotes; inside, `\` stands before the quote and before `\`, before any other character it stays |
 * | `a=true`, `a=false`, `a` | `true`, `false`, `true` |
 * | `a=10`, `a=-1.5` | a number, where JavaScript writes it the same way; `a=007` and `a="10"` are texts |
 *
 * Linear in the text's length.
 */
export const plugins: Value<readonly PluginUse[]> = {
  parse: (raw, { separator }) => new Reader(raw, separator === '' ? ',' : separator).read(),
  schema: (zod) => {
    const name = zod.string().refine(isPluginName, `expected ${nameExpected}`);
    const option = zod.string().refine(isOptionName, `expected ${optionExpected}`);
    const value = zod.union([zod.string().max(pluginBounds.valueCharacters), zod.number(), zod.boolean()]);
    const options = zod
      .unknown()
      // A record drops this key, and with it the option: the plug-in would let in what it was meant to keep out.
      .refine((given) => !(typeof given === 'object' && given !== null && Object.hasOwn(given, '__proto__')), {
        error: `expected ${optionExpected}`,
      })
      .pipe(zod.record(option, value))
      .refine((given) => Object.keys(given).length <= pluginBounds.options, {
        error: `expected at most ${pluginBounds.options} options`,
      });
    return zod
      .array(zod.object({ name, options: options.exactOptional() }))
      .min(1)
      .max(pluginBounds.plugins);
  },
};

const nameExpected = `the name of a plug-in: up to ${pluginBounds.nameCharacters} letters, digits, hyphens and underscores`;
const optionExpected = `the name of an option: up to ${pluginBounds.nameCharacters} letters, digits, hyphens, underscores and $`;
const example = 'plug-ins such as helmet,cors(origin="https://a.example",credentials=true)';

class Reader {
  readonly #text: string;
  readonly #separator: string;
  #at = 0;

  constructor(text: string, separator: string) {
    this.#text = text;
    this.#separator = separator;
  }

  read(): ParsedLabel<readonly PluginUse[]> {
    const found: PluginUse[] = [];
    for (;;) {
      this.#skipBlanks();
      const name = this.#word();
      // Empty parts are dropped, as in every list label.
      if (name !== '') {
        if (!isPluginName(name)) return not(nameExpected);
        const options = this.#options();
        if (typeof options === 'string') return not(options);
        found.push(options === undefined ? { name } : { name, options });
        if (found.length > pluginBounds.plugins) return not(`at most ${pluginBounds.plugins} plug-ins`);
      }
      this.#skipBlanks();
      if (this.#at >= this.#text.length) return found.length === 0 ? not(example) : ok(found);
      if (!this.#take(this.#separator)) return not(example);
    }
  }

  /** `undefined`: there are none. A text: what was expected. */
  #options(): PluginOptions | string | undefined {
    this.#skipBlanks();
    if (!this.#take('(')) return undefined;
    const options = new Map<string, PluginOption>();
    for (;;) {
      this.#skipBlanks();
      const name = this.#word();
      if (name !== '') {
        if (!isOptionName(name)) return optionExpected;
        if (options.has(name)) return `the option ${name} once`;
        this.#skipBlanks();
        const value = this.#take('=') ? this.#value() : { value: true };
        if (typeof value === 'string') return value;
        options.set(name, value.value);
        if (options.size > pluginBounds.options) return `at most ${pluginBounds.options} options for a plug-in`;
      }
      this.#skipBlanks();
      if (this.#take(')')) return options.size === 0 ? undefined : Object.fromEntries(options);
      if (!this.#take(this.#separator)) return this.#at >= this.#text.length ? 'a closing parenthesis' : example;
    }
  }

  /** Characters of names: what follows is for the caller to judge. */
  #word(): string {
    const from = this.#at;
    while (this.#at < this.#text.length && /[\w$-]/.test(this.#text.charAt(this.#at)) && !this.#isAtSeparator())
      this.#at += 1;
    return this.#text.slice(from, this.#at);
  }

  #value(): { readonly value: PluginOption } | string {
    this.#skipBlanks();
    const quote = this.#text.charAt(this.#at);
    const text = quote === '"' || quote === "'" ? this.#quoted(quote) : this.#bare();
    if (text === undefined) return 'a closing quote';
    if (typeof text !== 'string') return text.expected;
    if (text.length > pluginBounds.valueCharacters)
      return `values of at most ${pluginBounds.valueCharacters.toLocaleString('en')} characters`;
    return { value: quote === '"' || quote === "'" ? text : typed(text) };
  }

  #quoted(quote: string): string | undefined {
    let value = '';
    for (this.#at += 1; this.#at < this.#text.length; this.#at += 1) {
      const character = this.#text.charAt(this.#at);
      if (character === quote) {
        this.#at += 1;
        return value;
      }
      const next = this.#text.charAt(this.#at + 1);
      const isEscape = character === '\\' && (next === quote || next === '\\');
      if (isEscape) this.#at += 1;
      value += isEscape ? next : character;
    }
    return undefined;
  }

  #bare(): string | { readonly expected: string } {
    let value = '';
    // Blanks at the end are trimmed, but not those that an escape made.
    let keep = 0;
    while (this.#at < this.#text.length && !this.#isAtSeparator()) {
      const character = this.#text.charAt(this.#at);
      if (character === ')') break;
      if (character === '(' || character === '"' || character === "'")
        return { expected: `quotes around a value with ${character}` };
      this.#at += 1;
      const escaped = character === '\\' ? this.#escaped() : undefined;
      value += escaped ?? character;
      if (escaped !== undefined || !/\s/.test(character)) keep = value.length;
    }
    return value.slice(0, keep);
  }

  #escaped(): string | undefined {
    const next = this.#isAtSeparator() ? this.#separator : this.#text.charAt(this.#at);
    if (next !== this.#separator && !/[\\()"']/.test(next)) return undefined;
    this.#at += next.length;
    return next;
  }

  #isAtSeparator(): boolean {
    return this.#text.startsWith(this.#separator, this.#at);
  }

  #take(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  #skipBlanks(): void {
    while (/\s/.test(this.#text.charAt(this.#at)) && !this.#isAtSeparator()) this.#at += 1;
  }
}

function typed(text: string): PluginOption {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return /^-?\d/.test(text) && Number.isFinite(number) && String(number) === text ? number : text;
}
