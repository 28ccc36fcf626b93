/** What the responses of a while were. */
export interface CircuitFigures {
  readonly total: number;
  readonly networkErrors: number;
  /** Responses whose status is at least `from` and below `to`. */
  count(from: number, to: number): number;
  /** @param quantile from 0 to 100 */
  latencyMs(quantile: number): number;
}

export type CircuitExpression =
  | { readonly ok: true; holds(figures: CircuitFigures): boolean }
  | { readonly ok: false; readonly expected: string };

type Predicate = (figures: CircuitFigures) => boolean;

const mostCharacters = 1_000;
const mostDepth = 50;

const usage =
  'a condition such as NetworkErrorRatio() > 0.30 || ResponseCodeRatio(500, 600, 0, 600) > 0.25 || LatencyAtQuantileMS(50.0) > 100';

/**
 * Reads the condition of a circuit breaker, in Traefik's notation: `NetworkErrorRatio()`, `ResponseCodeRatio(from, to, dividedByFrom,
 * dividedByTo)` and `LatencyAtQuantileMS(quantile)`, compared with a number, joined by `&&`, `||`, `!` and parentheses. Pure,
 * never throws.
 */
export function readCircuitExpression(text: string): CircuitExpression {
  if (text.length > mostCharacters) return { ok: false, expected: usage };
  try {
    const reader = new Reader(text);
    const holds = reader.either(0);
    reader.end();
    return { ok: true, holds };
  } catch (error) {
    if (!(error instanceof NotRead)) throw error;
    return { ok: false, expected: usage };
  }
}

class NotRead extends Error {}

const compare: Readonly<Record<string, (one: number, other: number) => boolean>> = {
  '>': (one, other) => one > other,
  '>=': (one, other) => one >= other,
  '<': (one, other) => one < other,
  '<=': (one, other) => one <= other,
  '==': (one, other) => one === other,
  '!=': (one, other) => one !== other,
};

class Reader {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string) {
    const tokens = text.match(/\s+|&&|\|\||[<>=!]=|[<>!(),]|[A-Za-z]+|\d+(?:\.\d*)?|\.\d+|./gs) ?? [];
    this.#tokens = tokens.filter((token) => token.trim() !== '');
  }

  either(depth: number): Predicate {
    const all = [this.#both(depth)];
    while (this.#take('||')) all.push(this.#both(depth));
    return (figures) => all.some((each) => each(figures));
  }

  end(): void {
    if (this.#at < this.#tokens.length) throw new NotRead();
  }

  #both(depth: number): Predicate {
    const all = [this.#one(depth)];
    while (this.#take('&&')) all.push(this.#one(depth));
    return (figures) => all.every((each) => each(figures));
  }

  #one(depth: number): Predicate {
    if (depth > mostDepth) throw new NotRead();
    if (this.#take('!')) {
      const inner = this.#one(depth + 1);
      return (figures) => !inner(figures);
    }
    if (this.#take('(')) {
      const inner = this.either(depth + 1);
      this.#expect(')');
      return inner;
    }
    const figure = this.#figure();
    const operator = compare[this.#tokens[this.#at] ?? ''];
    if (operator === undefined) throw new NotRead();
    this.#at += 1;
    const limit = this.#number();
    return (figures) => operator(figure(figures), limit);
  }

  #figure(): (figures: CircuitFigures) => number {
    const name = this.#tokens[this.#at];
    this.#at += 1;
    this.#expect('(');
    switch (name) {
      case 'NetworkErrorRatio':
        this.#expect(')');
        return ({ networkErrors, total }) => ratio(networkErrors, total);
      case 'LatencyAtQuantileMS': {
        const quantile = this.#number();
        this.#expect(')');
        if (quantile > 100) throw new NotRead();
        return (figures) => figures.latencyMs(quantile);
      }
      case 'ResponseCodeRatio': {
        const [from, to, ofFrom, ofTo] = [this.#number(), this.#next(), this.#next(), this.#next()];
        this.#expect(')');
        return (figures) => ratio(figures.count(from, to), figures.count(ofFrom, ofTo));
      }
      default:
        throw new NotRead();
    }
  }

  #next(): number {
    this.#expect(',');
    return this.#number();
  }

  #number(): number {
    const token = this.#tokens[this.#at] ?? '';
    if (!/^[\d.]/.test(token)) throw new NotRead();
    this.#at += 1;
    return Number(token);
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at += 1;
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw new NotRead();
  }
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
