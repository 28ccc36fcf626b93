import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './imports.ts';

/** One place where the event loop is given a callback, or a promise is left alone. */
export interface Callback {
  readonly file: string;
  readonly line: number;
  readonly kind: 'listener' | 'timer' | 'promise' | 'handshake' | 'completion' | 'option';
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
  ['completion', /\.(?:end|write|listen|close|send|ping|lookup|resolve[46A-Z]\w*)\(|\b(?:finished|pipeline)\(/g],
  ['option', /(?<!readonly )\b(?:onread(?:: | = )|lookup: (?![A-Z]|\w+ = ))/g],
];

/** A function, or a name that a function usually has. */
const functionLike =
  /^(?:async )?(?:\([^()]*\)|\w+)(?:: [^=]+)? =>|^guard\w*\(|^(?:this\.)?#?(?:resolve|reject|done|next|\w*[cC]allback|on[A-Z]\w*)$/;

/**
 * Every callback of the sources: listeners, timers, callbacks of handshakes, of operations that complete and of a socket's
 * options, and promises that nothing awaits.
 */
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
      const end = endOf(kind, text, index, match);
      const call = text.slice(index, end);
      if (!takesCallback(text, index, call, kind)) continue;
      const line = text.slice(0, index).split('\n').length;
      const isInside = guards.some(([from, to]) => from < index && index < to);
      found.push({ file, line, kind, call: call.replace(/\s+/g, ' '), guarded: isInside || isGuarded(call, text) });
    }
  }
  return found.sort((one, other) => one.line - other.line);
}

function endOf(kind: Callback['kind'], text: string, index: number, match: string): number {
  if (kind === 'handshake') return endOfMethod(text, index);
  return endOfCall(text, index + match.length - (kind === 'option' ? 0 : 1));
}

function takesCallback(text: string, index: number, call: string, kind: Callback['kind']): boolean {
  // A method of that name, not a call of it.
  if (kind === 'timer' && /^\s*(?::\s*[\w<>]+\s*)?\{/.test(text.slice(index + call.length))) return false;
  // Of node:timers/promises, or of a promise that is awaited.
  if (kind === 'timer') return !/\bawait $/.test(text.slice(0, index)) && !call.includes('(resolve)');
  if (kind === 'completion') return functionLike.test(lastArgument(call));
  if (call.startsWith('createServer(')) return call.includes('=>');
  return true;
}

/** Of a call, as text; a comma behind it is left out. */
function lastArgument(call: string): string {
  let depth = 0;
  let from = 0;
  let last = '';
  for (let at = call.indexOf('('); at < call.length; at += 1) {
    const letter = call[at] ?? '';
    if (letter === "'" || letter === '`' || letter === '"') at = endOfText(call, at, letter);
    else if ('({['.includes(letter)) {
      depth += 1;
      if (depth === 1) from = at + 1;
    } else if (')}]'.includes(letter)) {
      depth -= 1;
      if (depth === 0) return call.slice(from, at).trim() || last;
    } else if (letter === ',' && depth === 1) {
      last = call.slice(from, at).trim();
      from = at + 1;
    }
  }
  return last;
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
