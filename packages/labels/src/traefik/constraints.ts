import { RE2JS } from 're2js';
import { regularExpressionFault } from '../values/regular-expression.ts';
import { type RuleFault, readTokens, ruleFault, type Token } from '../values/rule-tokens.ts';

export type Labels = Readonly<Record<string, string>>;

/** Which services are ours, by their labels. */
export type Constraint = (labels: Labels) => boolean;

export type ReadConstraint = { readonly ok: true; readonly holds: Constraint } | RuleFault;

/**
 * Traefik's constraints (https://doc.traefik.io/traefik/reference/install-configuration/providers/swarm/): ``Label(`key`,
 * `value`)`` and ``LabelRegex(`key`, `expression`)``, joined by `&&`, `||`, `!` and parentheses.
 */
export function readConstraint(text: string): ReadConstraint {
  const tokens = readTokens(text);
  return tokens.ok ? new ConstraintParser(tokens.tokens).whole() : tokens;
}

class ConstraintParser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): ReadConstraint {
    const read = this.#joined('||');
    const rest = this.#peek();
    return read.ok && rest.kind !== 'end' ? ruleFault(rest.at, 'a constraint ends there', 'write && or ||') : read;
  }

  #peek(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #joined(operator: '||' | '&&'): ReadConstraint {
    const parts: Constraint[] = [];
    for (;;) {
      const part = operator === '||' ? this.#joined('&&') : this.#factor();
      if (!part.ok) return part;
      parts.push(part.holds);
      if (this.#peek().kind !== operator) break;
      this.#at += 1;
    }
    const holds: Constraint =
      operator === '||'
        ? (labels) => parts.some((part) => part(labels))
        : (labels) => parts.every((part) => part(labels));
    return { ok: true, holds };
  }

  #factor(): ReadConstraint {
    const token = this.#peek();
    this.#depth += 1;
    if (this.#depth > 1000) return ruleFault(token.at, 'it is nested too deep', 'write it flatter');
    this.#at += 1;
    if (token.kind === '!') {
      const part = this.#factor();
      return part.ok ? { ok: true, holds: (labels) => !part.holds(labels) } : part;
    }
    if (token.kind === '(') {
      const inner = this.#joined('||');
      if (!inner.ok) return inner;
      if (this.#peek().kind !== ')') return ruleFault(token.at, 'the parenthesis is not closed', 'close it with )');
      this.#at += 1;
      return inner;
    }
    if (token.kind !== 'name')
      return ruleFault(token.at, 'a constraint is expected', 'write one such as Label(`a`, `b`)');
    return this.#call(token.value, token.at);
  }

  #call(name: string, at: number): ReadConstraint {
    const [open, key, comma, value, close] = this.#tokens.slice(this.#at, this.#at + 5);
    const isCall = open?.kind === '(' && comma?.kind === ',' && close?.kind === ')';
    if (!isCall || key?.kind !== 'text' || value?.kind !== 'text')
      return ruleFault(at, `${name} does not have a key and a value`, 'write it like Label(`key`, `value`)');
    this.#at += 5;
    const lower = name.toLowerCase();
    if (lower === 'label') return { ok: true, holds: (labels) => labels[key.value] === value.value };
    if (lower !== 'labelregex' && lower !== 'labelregexp')
      return ruleFault(at, `there is no ${name.slice(0, 40)}`, 'write Label or LabelRegex');
    const fault = regularExpressionFault(value.value);
    if (fault !== undefined) return ruleFault(value.at, fault, 'write it as Go does');
    const expression = RE2JS.compile(value.value);
    return { ok: true, holds: (labels) => expression.test(labels[key.value] ?? '') };
  }
}
