import { RE2JS } from 're2js';

/** Longer ones are nobody's route. Keeps the compile below a few milliseconds. */
const mostCharacters = 1000;

/**
 * Why a regular expression from a label cannot be used, or nothing. The engine is RE2: linear time whatever the
 * pattern, hence no look-around and no back-references (https://github.com/google/re2/wiki/Syntax).
 */
export function regularExpressionFault(source: string): string | undefined {
  if (source.length > mostCharacters) return `expected at most ${mostCharacters} characters`;
  try {
    RE2JS.compile(source);
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `expected a regular expression without look-around or back-references (${reason})`;
  }
}
