import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './imports.ts';

/** One place where the event loop is given a callback, or a promise is left alone. */
export interface Callback {
  readonly file: string;
  readonly line: number;
  readonly kind: 'listener' | 'timer' | 'promise' | 'handshake';
  /** The whole call, blanks joined. */
  readonly call: string;
  readonly guarded: boolean;
}

const openings: readonly (readonly [Callback['kind'], RegExp])[] = [
  ['listener', /\.(?:on|once|addListener|prependListener|addEventListener)\(|\bcreateServer\(/g],
  [
    'timer',
    /(?<![\w.])(?:setTimeout|setInterval|setImmediate|queueMicrotask)\(|\bnextTick\(|(?<=\.)setTimeout\((?=\w+, )/g,
  ],
  ['promise', /(?<=^\s*|=> |else |[;{]\s*)void (?=[\w(])|(?<=[;{}]\s*\n\s*)[\w.#]+(?:\([^()\n]*\))?\.then\(/g],
  ['handshake', /\b(?:SNICallback|ALPNCallback)\(/g],
];

/** Every callback of the sources: listeners, timers, callbacks of handshakes, and promises that nothing awaits. */
export function findCallbacks(): readonly Callback[] {
  return globSync('packages/*/src/**/*.ts', { cwd: root })
    .filter((file) => !file.endsWith('.test.ts') && !file.includes('/testing/'))
    .sort()
    .flatMap((file) => callbacksIn(file, readFileSync(join(root, file), 'utf8')));
}

/** @param source of a TypeScript file in the style of this project */
export function callbacksIn(file: string, source: string): Callback[] {
  const text = withoutComments(source);
  const guards = guardedRanges(text);
  const found: Callback[] = [];
  for (const [kind, opening] of openings) {
    for (const { index, 0: match } of text.matchAll(opening)) {
      const end = kind === 'handshake' ? endOfMethod(text, index) : endOfCall(text, index + match.length - 1);
      const call = text.slice(index, end);
      if (!takesCallback(text, index, call, kind)) continue;
      const line = text.slice(0, index).split('\n').length;
      const isInside = guards.some(([from, to]) => from < index && index < to);
      found.push({ file, line, kind, call: call.replace(/\s+/g, ' '), guarded: isInside || isGuarded(call, text) });
    }
  }
  return found.sort((one, other) => one.line - other.line);
}

function takesCallback(text: string, index: number, call: string, kind: Callback['kind']): boolean {
  // A method of that name, not a call of it.
  if (kind === 'timer' && /^\s*(?::\s*[\w<>]+\s*)?\{/.test(text.slice(index + call.length))) return false;
  // Of node:timers/promises, or of a promise that is awaited.
  if (kind === 'timer') return !/\bawait $/.test(text.slice(0, index)) && !call.includes('(resolve)');
  if (call.startsWith('createServer(')) return call.includes('=>');
  return true;
}

function guardedRanges(text: string): (readonly [number, number])[] {
  return [...text.matchAll(/\b(?:guard|guardEach|guardPromise)\(/g)].map(({ index, 0: match }) => [
    index,
    endOfCall(text, index + match.length - 1),
  ]);
}

/** A guard stands in the call, or around the function that it names. */
function isGuarded(call: string, text: string): boolean {
  if (/\b(?:guard|guardEach|guardPromise)\(|\.#guarded\(/.test(call)) return true;
  const named = call.matchAll(/(?<=[(,]\s*)(?:this\.)?(#?\w+)(?=\s*[,)])/g);
  return [...named].some(([, name]) => new RegExp(`(?<![\\w#])${name}\\b(?:: [^=;]+)? = guard\\(`).test(text));
}

function endOfMethod(text: string, from: number): number {
  const parameters = endOfCall(text, text.indexOf('(', from));
  return endOfCall(text, text.indexOf('{', parameters));
}

function endOfCall(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === "'" || letter === '`' || letter === '"') at = endOfText(text, at, letter);
    else if (letter === '(' || letter === '{' || letter === '[') depth += 1;
    else if (letter === ')' || letter === '}' || letter === ']') {
      depth -= 1;
      if (depth === 0 && !/^\s*\.\w/.test(text.slice(at + 1, at + 80))) return at + 1;
      if (depth < 0) return at;
    } else if (letter === ';' && depth === 0) return at;
  }
  return text.length;
}

function endOfText(text: string, from: number, quote: string): number {
  for (let at = from + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === quote) return at;
  }
  return text.length;
}

/** Keeps the lines as they are. */
function withoutComments(source: string): string {
  return source
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|\s)\/\/[^\n]*/g, '$1');
}
