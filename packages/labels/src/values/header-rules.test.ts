import { expect } from 'chai';
import fc from 'fast-check';
import { type HeaderRule, headerPairs, responseHeaderRules } from './header-rules.ts';

const seed = 20_261_128;
const read = (text: string): readonly HeaderRule[] | undefined => {
  const parsed = responseHeaderRules.parse(text, { separator: ',' });
  return parsed.ok ? parsed.value : undefined;
};

describe('header rules', () => {
  const value = fc.string({
    unit: fc.constantFrom('a', '7', ' ', ',', '"', "'", '\\', '{', '(', ';'),
    minLength: 1,
    maxLength: 10,
  });

  it('are any values, written in quotes of one kind or behind backslashes, with and without a condition', () => {
    const written = fc
      .tuple(value, fc.constantFrom('"', "'", ''), fc.constantFrom('', 'if', 'unless'))
      .map(([text, quote, when]) => {
        const isBare = quote === '' && text.trim() === text;
        const isLiteral = quote === "'" && !text.includes("'");
        const spelled = isBare
          ? text.replace(/[\\,"']/g, '\\$&')
          : isLiteral
            ? `'${text}'`
            : `"${text.replace(/[\\"]/g, '\\$&')}"`;
        const condition = { if: 'if-secure', unless: 'unless-secure', '': undefined }[when];
        const rule = { name: 'X-A', value: text, ...(condition === undefined ? {} : { condition }) };
        return { label: `X-A ${spelled}${when === '' ? '' : ` ${when} { ssl_fc }`}`, rule };
      });
    fc.assert(
      fc.property(fc.array(written, { minLength: 1, maxLength: 4 }), (rules) => {
        expect(read(rules.map(({ label }) => label).join(','))).to.deep.equal(rules.map(({ rule }) => rule));
      }),
      { numRuns: 2_000, seed },
    );
  });

  it('are what a slow reading of quotes and backslashes finds in any text', () => {
    const rule = fc.tuple(fc.constantFrom('X-A', 'X-B', '"', 'a'), fc.constantFrom(' ', '  ', ''), value);
    const text = fc.array(
      rule.map((parts) => parts.join('')),
      { minLength: 1, maxLength: 3 },
    );
    let taken = 0;
    fc.assert(
      fc.property(text, (parts) => {
        const label = parts.join(',');
        const found = read(label);
        expect(found, label).to.deep.equal(slowRules(label));
        if (found !== undefined) taken += 1;
      }),
      { numRuns: 5_000, seed },
    );
    expect(taken).to.be.within(500, 4_500);
  });
});

/** Cuts the text into escapes, closed quotes, commas and single characters, and puts the pieces together again. */
function slowRules(text: string): readonly HeaderRule[] | undefined {
  const closed = String.raw`"(?:\\[\s\S]|[^"\\])*"|'[^']*'`;
  const pieces = text.match(new RegExp(String.raw`\\[\s\S]?|(?<![A-Za-z0-9])(?:${closed})|[\s\S]`, 'g')) ?? [];
  const parts = [''];
  for (const piece of pieces) {
    if (piece === ',') parts.push('');
    else parts[parts.length - 1] += piece;
  }
  const rules: HeaderRule[] = [];
  for (const part of parts.map((each) => each.trim()).filter((each) => each !== '')) {
    const [, name = '', rest = ''] = /^(\S*)([\s\S]*)$/.exec(part) ?? [];
    const given = rest.trim();
    const delimited = new RegExp(`^(?:${closed})`).exec(given)?.[0];
    if (/^["']/.test(given) && delimited === undefined) return undefined;
    const isWhole = delimited === given;
    const inner = isWhole ? given.slice(1, -1) : given;
    const value = isWhole && given.startsWith("'") ? inner : inner.replaceAll(/\\([\s\S])/g, '$1');
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || value === '') return undefined;
    rules.push({ name, value });
  }
  return rules.length === 0 ? undefined : rules;
}

describe('pairs of header and value', () => {
  for (const [raw, pairs] of [
    ['X-Version:3,X-Name:Jane', { 'X-Version': '3', 'X-Name': 'Jane' }],
    ['X-Time:12:30', { 'X-Time': '12:30' }], // the first colon splits
    ['X-List:"a,b"', { 'X-List': 'a,b' }],
    ['X-Version', undefined],
    ['__proto__:x', undefined],
    ['', undefined],
  ] as const)
    it(`${JSON.stringify(raw)} ${pairs === undefined ? 'is refused' : 'are read'}`, () => {
      const read = headerPairs.parse(raw, { separator: ',' });
      expect(read.ok ? read.value : undefined).to.deep.equal(pairs);
    });
});
