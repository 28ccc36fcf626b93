import type { PathType } from '@swarmgate/registry';
import { expect } from 'chai';
import fc from 'fast-check';
import { normalizePath } from './normal-path.ts';
import { parsePathPattern, pathMatches } from './path-pattern.ts';

describe('patterns and paths', () => {
  const character = fc.constantFrom(...'aZ0-._~:@!$&\'()*+,=[]{}|^`"<> üß日😀%');
  const segment = fc
    .array(character, { minLength: 1, maxLength: 4 })
    .map((characters) => characters.join(''))
    .filter((text) => text !== '.' && text !== '..' && text.trim() === text);
  const segments = fc.array(segment, { minLength: 1, maxLength: 3 });
  /** How one character is spelled: by its number, so that a run is the same every time. */
  const spelling = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 24, maxLength: 24 });

  const encoded = (text: string, upper: boolean) =>
    [...Buffer.from(text)]
      .map((byte) => `%${byte.toString(16).padStart(2, '0')}`)
      .map((each) => (upper ? each.toUpperCase() : each))
      .join('');

  /** Any spelling of the same path: bare where that is possible, or encoded with upper or lower case digits. */
  function spelled(path: readonly string[], spellings: readonly number[], isBare: (text: string) => boolean): string {
    let at = 0;
    const spell = (text: string) => {
      const how = spellings[at++ % spellings.length] ?? 0;
      // Delimiters mean another path when they are encoded (RFC 3986, section 2.2).
      if (/[!$&'()*+,=[\]]/.test(text)) return text;
      return how > 1 && isBare(text) ? text : encoded(text, how % 2 === 0);
    };
    return `/${path.map((each) => [...each].map(spell).join('')).join('/')}`;
  }
  const inRequest = (text: string) => /^[A-Za-z0-9\-._~:@!$&'()*+,=[\]{}|^`"<>]$/.test(text);
  const inLabel = (text: string) => text !== '%';

  it('meet in every spelling, whatever the pathType', () => {
    fc.assert(
      fc.property(segments, spelling, spelling, (path, requested, labelled) => {
        const normal = normalizePath(spelled(path, requested, inRequest));
        if (!normal.ok) throw new Error(normal.reason);
        const written = spelled(path, labelled, inLabel);
        for (const matcher of ['path', 'path_beg', 'path_end', 'path_sub', 'path_dir'] as const) {
          for (const ignoreCase of [false, true]) {
            const parsed = parsePathPattern(written, { matcher, ignoreCase } satisfies PathType, true);
            if (!parsed.ok) throw new Error(parsed.message);
            expect(pathMatches(parsed.pattern, normal.path), `${matcher} ${written} on ${normal.path}`).to.equal(true);
          }
        }
      }),
      { numRuns: 1000, seed: 20260102 },
    );
  });
});
