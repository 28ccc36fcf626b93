import {
  type CharacterFault,
  comparedEscape,
  mustBeEncoded,
  percentEncoded,
  whyImpossible,
} from './compared-characters.ts';

/**
 * Why an expression cannot be compared with paths in their compared form, or nothing. Two kinds of literals are faults:
 * those that paths hold in another spelling (`ü`, `{`, a blank, `%c3`, `//`), wherever they stand, because the expression
 * would silently miss them and an exclusion would let them in; and those that no path holds (`?`, `#`, `;`), where the
 * expression can match nothing without them. So `^/a(\?.*)?$` passes, and `^/a\?b` does not.
 *
 * @param source a valid expression of RE2
 */
export function expressionFault(source: string, ignoreCase: boolean): CharacterFault | undefined {
  const reader = new LiteralReader(source, ignoreCase || /\(\?[a-zA-Z]*i[a-zA-Z]*[:)-]/.test(source));
  const impossible = reader.alternatives();
  return reader.spelling ?? impossible;
}

/** Recursive descent over RE2's syntax, as far as it concerns literals. */
class LiteralReader {
  /** The first literal that paths hold in another spelling. */
  spelling: CharacterFault | undefined;
  readonly #source: string;
  readonly #ignoreCase: boolean;
  #at = 0;
  /** Literals that follow each other. */
  #run = '';

  constructor(source: string, ignoreCase: boolean) {
    this.#source = source;
    this.#ignoreCase = ignoreCase;
  }

  /** A fault where none of the alternatives can match. */
  alternatives(): CharacterFault | undefined {
    let fault = this.#sequence();
    while (this.#source.charAt(this.#at) === '|') {
      this.#at += 1;
      const next = this.#sequence();
      if (fault !== undefined) fault = next;
    }
    return fault;
  }

  #sequence(): CharacterFault | undefined {
    let fault: CharacterFault | undefined;
    this.#run = '';
    while (this.#at < this.#source.length && !'|)'.includes(this.#source.charAt(this.#at))) {
      const piece = this.#piece();
      const quantifier = /^(?:[*?+]|\{\d+(?:,\d*)?\})\??/.exec(this.#source.slice(this.#at, this.#at + 20))?.[0] ?? '';
      this.#at += quantifier.length;
      if (quantifier !== '') this.#run = '';
      const isOptional = /^(?:[*?]|\{0)/.test(quantifier);
      if (!isOptional) fault ??= piece;
    }
    this.#run = '';
    return fault;
  }

  /** One piece without its quantifier; a fault where it can match nothing. */
  #piece(): CharacterFault | undefined {
    const rest = this.#source.slice(this.#at, this.#at + 1100);
    const character = String.fromCodePoint(rest.codePointAt(0) ?? 0);
    if (character === '(') return this.#group(rest);
    if (character === '[') return this.#class(rest);
    if (character === '\\') return this.#escape(rest);
    this.#at += character.length;
    if (character === '.' || character === '^' || character === '$') {
      this.#run = '';
      return undefined;
    }
    return this.#literal(character);
  }

  #group(rest: string): CharacterFault | undefined {
    const opening = /^\((?:\?(?:P?<\w+>|[a-zA-Z-]*:?))?/.exec(rest)?.[0] ?? '(';
    this.#at += opening.length;
    // `(?i)` is no group of its own.
    const fault = this.alternatives();
    this.#at += 1;
    this.#run = '';
    return fault;
  }

  #class(rest: string): CharacterFault | undefined {
    const whole = /^\[\^?\]?(?:\\[\s\S]|\[:\^?\w+:\]|[^\]\\])*\]/.exec(rest)?.[0] ?? rest;
    this.#at += whole.length;
    this.#run = '';
    if (whole.startsWith('[^')) return undefined;
    for (const character of whole) if (character > '\x7f') this.#spelled(character);
    const members = whole.slice(1, -1);
    // Classes of plain members only: anything else (ranges, `\w`) is taken for possible.
    if (/[\\[-]/.test(members)) return undefined;
    const faults = [...members].map(whyImpossible);
    return faults.every((fault) => fault !== undefined) ? faults[0] : undefined;
  }

  #escape(rest: string): CharacterFault | undefined {
    const quoted = /^\\Q([\s\S]*?)(?:\\E|$)/.exec(rest);
    if (quoted !== null) {
      this.#at += quoted[0].length;
      const faults = [...(quoted[1] ?? '')].map((character) => this.#literal(character));
      return faults.find((fault) => fault !== undefined);
    }
    const code = /^\\x(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2}))/.exec(rest);
    if (code !== null) {
      this.#at += code[0].length;
      const point = Number.parseInt(code[1] ?? code[2] ?? '', 16);
      return point <= 0x10ffff ? this.#literal(String.fromCodePoint(point)) : undefined;
    }
    const written = /^\\(?:[pP](?:\{[^}]*\}|.)|[0-7]{1,3}|[\s\S])/u.exec(rest)?.[0] ?? '\\';
    this.#at += written.length;
    const meaning = written.slice(1);
    if (/^[afnrtvs]$/.test(meaning)) return whyImpossible('\n');
    if (/^[A-Za-z0-9]/.test(meaning)) {
      this.#run = '';
      return undefined;
    }
    return this.#literal(meaning);
  }

  #literal(character: string): CharacterFault | undefined {
    if (mustBeEncoded(character) && whyImpossible(character) === undefined) this.#spelled(character);
    this.#run += character;
    if (this.#run.endsWith('//'))
      this.spelling ??= {
        expected: 'one slash at a time: paths are compared with // merged',
        suggestion: 'write one slash',
      };
    const hex = /%([0-9a-fA-F]{2})$/.exec(this.#run)?.[1];
    if (hex !== undefined) {
      const compared = comparedEscape(hex);
      const isSame = this.#ignoreCase ? compared.toUpperCase() === `%${hex}`.toUpperCase() : compared === `%${hex}`;
      if (!isSame)
        this.spelling ??= {
          expected: `${compared} instead of %${hex}, as paths are compared`,
          suggestion: `write ${compared}`,
        };
    }
    return whyImpossible(character);
  }

  #spelled(character: string): void {
    const compared = percentEncoded(character);
    this.spelling ??= {
      expected: `${compared} instead of ${JSON.stringify(character)}, as paths are compared`,
      suggestion: `write ${compared}`,
    };
  }
}
