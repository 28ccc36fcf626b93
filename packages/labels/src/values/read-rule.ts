import { buildMatcher } from './rule-matchers.ts';
import { type RuleFault, readTokens, ruleFault, type Token } from './rule-tokens.ts';
import type { RuleTree } from './rule-tree.ts';

export type ReadRule =
  /** `v2`: the first part of it that only Traefik 2 accepts. */
  { readonly ok: true; readonly tree: RuleTree; readonly v2?: string } | RuleFault;

export const ruleBounds = {
  /** Of the text. Traefik has none; every proxy of the cluster compiles the rule. */
  characters: 20_000,
  matchers: 1_000,
  depth: 50,
} as const;

/**
 * Reads a rule of an HTTP router: matchers joined by `&&`, `||` and `!`, which bind as in Go, and parentheses. Syntax of
 * Traefik 3, and of Traefik 2 where it is plain: several values in one matcher, `Headers`, `{name:expression}`. Never
 * throws.
 */
export function readRule(rule: string): ReadRule {
  if (rule.length > ruleBounds.characters)
    return ruleFault(
      ruleBounds.characters,
      `the rule is longer than ${ruleBounds.characters.toLocaleString('en')} characters`,
      'split it over several routers',
    );
  const tokens = readTokens(rule);
  return tokens.ok ? new RuleParser(tokens.tokens).rule() : tokens;
}

type Parsed = { readonly ok: true; readonly tree: RuleTree } | RuleFault;

class RuleParser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  #matchers = 0;
  #v2: string | undefined;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  rule(): ReadRule {
    if (this.#peek().kind === 'end') return ruleFault(0, 'it is empty', 'write one such as Host(`shop.example`)');
    const read = this.#alternatives();
    if (!read.ok) return read;
    const rest = this.#peek();
    if (rest.kind !== 'end') return unexpected(rest);
    return this.#v2 === undefined ? read : { ...read, v2: this.#v2 };
  }

  #peek(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #alternatives(): Parsed {
    return this.#joined('||', 'any', () => this.#joined('&&', 'all', () => this.#factor()));
  }

  #joined(operator: '&&' | '||', kind: 'all' | 'any', next: () => Parsed): Parsed {
    const parts: RuleTree[] = [];
    for (;;) {
      const part = next();
      if (!part.ok) return part;
      // Nested lists of one kind are one list: they mean the same, and show the same.
      if (part.tree.kind === kind) parts.push(...part.tree.parts);
      else parts.push(part.tree);
      if (this.#peek().kind !== operator) break;
      this.#at += 1;
    }
    const [first] = parts;
    return { ok: true, tree: parts.length === 1 && first !== undefined ? first : { kind, parts } };
  }

  #factor(): Parsed {
    const token = this.#peek();
    if (token.kind === '!') {
      this.#at += 1;
      const part = this.#nested(token, () => this.#factor());
      if (!part.ok) return part;
      return { ok: true, tree: part.tree.kind === 'not' ? part.tree.part : { kind: 'not', part: part.tree } };
    }
    if (token.kind === '(') {
      this.#at += 1;
      const inner = this.#nested(token, () => this.#alternatives());
      if (!inner.ok) return inner;
      if (this.#peek().kind !== ')') return notClosed(token, this.#peek());
      this.#at += 1;
      return inner;
    }
    return token.kind === 'name' ? this.#matcher(token.value, token.at) : unexpected(token);
  }

  #nested(token: Token, read: () => Parsed): Parsed {
    if (this.#depth === ruleBounds.depth)
      return ruleFault(token.at, `it is nested more than ${ruleBounds.depth} deep`, 'write it flatter');
    this.#depth += 1;
    const parsed = read();
    this.#depth -= 1;
    return parsed;
  }

  #matcher(name: string, at: number): Parsed {
    this.#at += 1;
    if (this.#peek().kind !== '(')
      return ruleFault(at, `${name} is not followed by its value in parentheses`, suggestionFor(name));
    const open = this.#peek();
    this.#at += 1;
    const values: string[] = [];
    for (;;) {
      const value = this.#peek();
      if (value.kind === ')' && values.length === 0) break;
      if (value.kind !== 'text')
        return ruleFault(value.at, `a value of ${name} is not in backticks`, `write it like ${name}(\`…\`)`);
      values.push(value.value);
      this.#at += 1;
      if (this.#peek().kind !== ',') break;
      this.#at += 1;
    }
    if (this.#peek().kind !== ')') return notClosed(open, this.#peek());
    this.#at += 1;
    this.#matchers += values.length;
    if (this.#matchers > ruleBounds.matchers)
      return ruleFault(at, `it has more than ${ruleBounds.matchers} matchers`, 'split it over several routers');
    const built = buildMatcher(name, values);
    if (!built.ok) return ruleFault(at, built.message, built.suggestion);
    this.#v2 ??= built.v2;
    return { ok: true, tree: built.tree };
  }
}

function notClosed(open: Token, found: Token): RuleFault {
  if (found.kind === 'end') return ruleFault(open.at, 'the parenthesis is not closed', 'close it with )');
  return ruleFault(
    found.at,
    `${shown(found)} is not expected there`,
    'write && or || between matchers, and close ( with )',
  );
}

function unexpected(token: Token): RuleFault {
  if (token.kind === 'end')
    return ruleFault(token.at, 'it ends where a matcher is expected', 'write one such as Host(`shop.example`)');
  const suggestion = token.kind === 'name' ? suggestionFor(token.value) : 'write && or || between matchers';
  return ruleFault(token.at, `${shown(token)} is not expected there`, suggestion);
}

function shown(token: Token): string {
  return token.kind === 'name' || token.kind === 'text' ? JSON.stringify(token.value.slice(0, 60)) : token.kind;
}

function suggestionFor(name: string): string {
  const operator = operators.get(name.toLowerCase());
  return operator === undefined ? `write && or || between matchers, and ${name}(\`…\`)` : `write ${operator}`;
}

const operators: ReadonlyMap<string, string> = new Map([
  ['and', '&&'],
  ['or', '||'],
  ['not', '!'],
]);
