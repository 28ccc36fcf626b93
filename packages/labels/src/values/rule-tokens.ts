/** A piece of a rule, with its place in the text, counted from 0. */
export type Token =
  | { readonly kind: 'name' | 'text'; readonly at: number; readonly value: string }
  | { readonly kind: '(' | ')' | ',' | '&&' | '||' | '!' | 'end'; readonly at: number };

/** Why a rule cannot be read. Data, never thrown. */
export interface RuleFault {
  readonly ok: false;
  /** The place in the rule, counted from 1. */
  readonly at: number;
  /** Completes "the rule cannot be read at character 7: …". */
  readonly message: string;
  readonly suggestion: string;
}

export type Tokens = { readonly ok: true; readonly tokens: readonly Token[] } | RuleFault;

/** @param at counted from 0 */
export function ruleFault(at: number, message: string, suggestion: string): RuleFault {
  return { ok: false, at: at + 1, message, suggestion };
}

/** Names, Go's string literals (raw in backticks, interpreted in double quotes) and operators. */
export function readTokens(rule: string): Tokens {
  const tokens: Token[] = [];
  for (let at = 0; at < rule.length; ) {
    const rest = rule.slice(at, at + 2);
    const character = rule.charAt(at);
    if (/\s/.test(character)) at += 1;
    else if (rest === '&&' || rest === '||') {
      tokens.push({ kind: rest, at });
      at += 2;
    } else if (character === '(' || character === ')' || character === ',' || character === '!') {
      tokens.push({ kind: character, at });
      at += 1;
    } else if (character === '`') {
      const close = rule.indexOf('`', at + 1);
      if (close === -1) return ruleFault(at, 'the backtick is not closed', 'close it with another one');
      tokens.push({ kind: 'text', at, value: rule.slice(at + 1, close) });
      at = close + 1;
    } else if (character === '"') {
      const text = interpretedText(rule, at);
      if (!text.ok) return text;
      tokens.push({ kind: 'text', at, value: text.value });
      at = text.next;
    } else if (/[A-Za-z_]/.test(character)) {
      const value = /^\w+/.exec(rule.slice(at))?.[0] ?? character;
      tokens.push({ kind: 'name', at, value });
      at += value.length;
    } else return unexpectedCharacter(at, character);
  }
  tokens.push({ kind: 'end', at: rule.length });
  return { ok: true, tokens };
}

function unexpectedCharacter(at: number, character: string): RuleFault {
  if (character === "'")
    return ruleFault(at, 'single quotes do not delimit a value', 'put the value in backticks: Host(`shop.example`)');
  if (character === '&' || character === '|')
    return ruleFault(at, `a single ${character} is no operator`, `write ${character}${character}`);
  if (character === ':')
    return ruleFault(
      at,
      'a colon is the syntax of Traefik 1',
      'write it in the syntax of version 3: Host(`shop.example`)',
    );
  return ruleFault(
    at,
    `${JSON.stringify(character)} is not expected there`,
    'put values in backticks, and join matchers by &&, || and !',
  );
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

/** Go's interpreted string literal: https://go.dev/ref/spec#String_literals */
function interpretedText(
  rule: string,
  open: number,
): { readonly ok: true; readonly value: string; readonly next: number } | RuleFault {
  let value = '';
  for (let at = open + 1; at < rule.length; at += 1) {
    const character = rule.charAt(at);
    if (character === '"') return { ok: true, value, next: at + 1 };
    if (character !== '\\') {
      value += character;
      continue;
    }
    const code = /^\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(rule.slice(at, at + 10));
    const point = code === null ? Number.NaN : Number.parseInt(code[1] ?? code[2] ?? code[3] ?? '', 16);
    const simple = escapes[rule.charAt(at + 1)];
    if (code !== null && point <= 0x10ffff) {
      value += String.fromCodePoint(point);
      at += code[0].length - 1;
    } else if (simple !== undefined) {
      value += simple;
      at += 1;
    } else
      return ruleFault(
        at,
        `${rule.slice(at, at + 2)} is no escape of a text in double quotes`,
        'put the value in backticks, which need no escapes',
      );
  }
  return ruleFault(open, 'the double quote is not closed', 'close it, or put the value in backticks');
}
