import { expect } from 'chai';
import fc from 'fast-check';
import { splitParts } from './split.ts';

const textsOf = (text: string, separator = ',') => splitParts(text, separator).map(({ text: part }) => part);

describe('splitParts', () => {
  // [written, separator, parts]
  const cases: readonly [string, string, readonly string[]][] = [
    ['/a, /b ,/c', ',', ['/a', '/b', '/c']],
    ['', ',', ['']],
    ['/a,,/b', ',', ['/a', '', '/b']],
    // escapes
    ['/a\\,b,/c', ',', ['/a,b', '/c']],
    ['/v\\d,/w', ',', ['/v\\d', '/w']],
    ['/a\\\\,/b', ',', ['/a\\\\', '/b']],
    ['/a\\', ',', ['/a\\']],
    ['/a\\;b;/c', ';', ['/a;b', '/c']],
    ['a\\||b||c', '||', ['a||b', 'c']],
    // quotes around a whole part
    ['"/a,b",/c', ',', ['/a,b', '/c']],
    ["'/a,b' , /c", ',', ['/a,b', '/c']],
    ['"^/v\\d{1,3}/"', ',', ['^/v\\d{1,3}/']],
    ['"a\\"b,c"', ',', ['a"b,c']],
    ['" a "', ',', [' a ']],
    ['"a b" "c"', ' ', ['a b', 'c']],
    // quotes that are data
    ['/a"b,c"', ',', ['/a"b', 'c"']],
    ['"a"b,c', ',', ['"a"b', 'c']],
    ['"a,b', ',', ['"a', 'b']],
    ["it's,he's", ',', ["it's", "he's"]],
    // brackets
    ['^/v\\d{1,3}/,/b', ',', ['^/v\\d{1,3}/', '/b']],
    ['^/(a|b,c)$,/d', ',', ['^/(a|b,c)$', '/d']],
    ['^/[a,b]+$,/d', ',', ['^/[a,b]+$', '/d']],
    ['^/[],(]+,/d', ',', ['^/[],(]+', '/d']],
    ['^/[^],]+,/d', ',', ['^/[^],]+', '/d']],
    ['^/\\(a,/b\\)', ',', ['^/\\(a', '/b\\)']],
    [
      'Mozilla/5.0 (X11; Linux) AppleWebKit/537.36 (KHTML, like Gecko),curl',
      ',',
      ['Mozilla/5.0 (X11; Linux) AppleWebKit/537.36 (KHTML, like Gecko)', 'curl'],
    ],
    ['((a,b),c),d', ',', ['((a,b),c)', 'd']],
    ['(a{1\\,2},b),c', ',', ['(a{1,2},b)', 'c']],
    // brackets that are not closed
    ['/a(,/b', ',', ['/a(', '/b']],
    ['/a),/b', ',', ['/a)', '/b']],
    ['/a{,/b[1,2]', ',', ['/a{', '/b[1,2]']],
  ];
  for (const [written, separator, parts] of cases) {
    it(`${JSON.stringify(written)} at ${JSON.stringify(separator)}`, () => {
      expect(textsOf(written, separator)).to.deep.equal(parts);
    });
  }

  it('reads a quote behind a given character, too', () => {
    expect(splitParts('X-Name:"a,b",Y:1', ',', { quotedAfter: ':' })).to.deep.equal([
      { text: 'X-Name:a,b', quoted: false },
      { text: 'Y:1', quoted: false },
    ]);
  });

  it('gives back any texts that were written in quotes', () => {
    // Blanks at the ends, every kind of bracket, quotes, separators. A backslash before a quote cannot be written.
    const part = fc
      .string({
        unit: fc.constantFrom('a', ' ', ',', '(', ')', '[', ']', '{', '}', '^', "'", '"', '\\d'),
        maxLength: 12,
      })
      .filter((text) => text !== '');
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const written = parts.map((text) => `"${text.replaceAll('"', '\\"')}"`).join(',');
        expect(textsOf(written)).to.deep.equal(parts);
      }),
      { numRuns: 500, seed: 20260102 },
    );
  });

  it('agrees with a slow reading of escapes and brackets', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ',', '(', ')', '[', ']', '{', '}', '\\'), maxLength: 14 });
    fc.assert(
      fc.property(text, (written) => {
        expect(textsOf(written)).to.deep.equal(slowParts(written));
      }),
      { numRuns: 2000, seed: 20260102 },
    );
  });

  it('takes time by length, whatever comes', () => {
    for (const unit of ['(', '[', '"', "'", '\\', '",', '("', '[^]', '{,', '\',"']) {
      const text = unit.repeat(100_000 / unit.length);
      const before = performance.now();
      splitParts(text, ',');
      expect(performance.now() - before, JSON.stringify(unit)).to.be.lessThan(1000);
    }
  });
});

/** Decides for every comma by itself whether it stands in a closed bracket, or behind an odd number of backslashes. */
function slowParts(text: string): string[] {
  const isEscaped = (at: number) => (/\\*$/.exec(text.slice(0, at))?.[0].length ?? 0) % 2 === 1;
  const spans: [number, number][] = [];
  const stack: number[] = [];
  let inClass: number | undefined;
  for (const at of text.split('').keys()) {
    if (isEscaped(at)) continue;
    const character = text[at] ?? '';
    if (inClass !== undefined) {
      if (character !== ']' || /^\[\^?$/.test(text.slice(inClass, at))) continue;
      spans.push([inClass, at]);
      inClass = undefined;
    } else if (character === '[') inClass = at;
    else if ('({'.includes(character)) stack.push(at);
    else if (')}'.includes(character)) {
      const top = stack.at(-1);
      if (top === undefined || text[top] !== (character === ')' ? '(' : '{')) continue;
      spans.push([top, at]);
      stack.pop();
    }
  }
  const parts = [''];
  for (const at of text.split('').keys()) {
    const character = text[at] ?? '';
    if (character === ',' && !isEscaped(at) && !spans.some(([from, to]) => from < at && at < to)) parts.push('');
    else if (!(character === '\\' && text[at + 1] === ',' && !isEscaped(at))) parts[parts.length - 1] += character;
  }
  return parts.map((part) => part.trim());
}
