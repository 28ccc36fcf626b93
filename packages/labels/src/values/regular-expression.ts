import { RE2JS } from 're2js';

/** Bounds the time to compile one expression to a few milliseconds. */
const mostCharacters = 1000;

/** Every request may have to pass through all of them. */
const mostInstructions = 5000;

/**
 * Why a regular expression from a label cannot be used, or nothing. The engine is RE2: linear time whatever the
 * pattern, hence no look-around and no back-references (https://github.com/google/re2/wiki/Syntax).
 */
export function regularExpressionFault(source: string): string | undefined {
  if (source.length > mostCharacters) return `expected at most ${mostCharacters} characters`;
  // Queried before it is compiled: compiling a thousand characters of `(x?){900}` takes a second.
  if (expressionCost(source) > mostInstructions)
    return 'expected fewer counted repetitions: it is too large when compiled';
  try {
    RE2JS.compile(source);
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `expected a regular expression without look-around or back-references (${reason})`;
  }
}

const pieces = /\\[pPx]\{[^}]*\}|\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\{\d+(?:,\d*)?\}|./gs;

/** About as many as RE2 makes of it, which writes `x{900}` out 900 times. Never far too few. */
export function expressionCost(source: string): number {
  const around: number[] = [];
  let sum = 0;
  // What a repetition behind it would repeat.
  let last = 0;
  for (const [piece] of source.matchAll(pieces)) {
    if (piece === '(') {
      around.push(sum);
      sum = 0;
    } else if (piece === ')') {
      last = sum + 2;
      sum = (around.pop() ?? 0) + last;
    } else if (/^\{\d/.test(piece)) {
      const times = Math.max(1, ...piece.slice(1, -1).split(',').map(Number));
      sum += last * (times - 1);
      last *= times;
    } else {
      last = '*+?'.includes(piece) ? last + 1 : 1;
      sum += 1;
    }
  }
  return around.reduce((all, each) => all + each, sum);
}
