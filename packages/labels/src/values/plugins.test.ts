import { expect } from 'chai';
import fc from 'fast-check';
import * as zod from 'zod';
import { isPluginName, type PluginUse, pluginBounds, plugins } from './plugins.ts';

const parse = (text: string, separator = ',') => {
  const parsed = plugins.parse(text, { separator });
  return parsed.ok ? parsed.value : parsed.expected;
};
const options = (text: string) => {
  const parsed = parse(`p(${text})`);
  return typeof parsed === 'string' ? parsed : parsed?.[0]?.options;
};

describe('the label plugins', () => {
  it('names plug-ins in their order, each with or without options', () => {
    const cases: readonly (readonly [string, readonly PluginUse[]])[] = [
      ['helmet', [{ name: 'helmet' }]],
      [' helmet , cors ', [{ name: 'helmet' }, { name: 'cors' }]],
      ['helmet,,cors,', [{ name: 'helmet' }, { name: 'cors' }]],
      ['helmet()', [{ name: 'helmet' }]],
      ['helmet( ),cors (a = b)', [{ name: 'helmet' }, { name: 'cors', options: { a: 'b' } }]],
      [
        'a(x=1,y=2),b,a(x=3)',
        [{ name: 'a', options: { x: 1, y: 2 } }, { name: 'b' }, { name: 'a', options: { x: 3 } }],
      ],
    ];
    for (const [text, expected] of cases) expect(parse(text), text).to.deep.equal(expected);
  });

  it('reads values as text, number or boolean', () => {
    const cases: readonly (readonly [string, unknown])[] = [
      ['a=text', 'text'],
      ['a', true],
      ['a=true', true],
      ['a=false', false],
      ['a=True', 'True'],
      ['a="true"', 'true'],
      ['a=10', 10],
      ['a=-1.5', -1.5],
      ['a="10"', '10'],
      ['a=007', '007'],
      ['a=1e3', '1e3'],
      ['a=9007199254740993', '9007199254740993'],
      ['a=-0', '-0'],
      ['a=', ''],
      ['a=""', ''],
      ['a=NaN', 'NaN'],
      ['a=10.0.0.0/8', '10.0.0.0/8'],
      ['a=x=y', 'x=y'],
    ];
    for (const [text, expected] of cases) expect(options(text), text).to.deep.equal({ a: expected });
  });

  it('keeps what stands in quotes or behind a backslash', () => {
    const cases: readonly (readonly [string, unknown])[] = [
      ['a="x, (y)"', 'x, (y)'],
      ['a=\'x, "y"\'', 'x, "y"'],
      ['a="say \\"yes\\""', 'say "yes"'],
      ['a="ends in \\\\"', 'ends in \\'],
      ['a="\\d\\w"', '\\d\\w'],
      ['a=" kept "', ' kept '],
      ['a=x\\,y', 'x,y'],
      ['a=\\(x\\)', '(x)'],
      ['a=\\d+', '\\d+'],
      ['a=x\\\\', 'x\\'],
      ['a=\\"', '"'],
      ['a = trimmed ', 'trimmed'],
    ];
    for (const [text, expected] of cases) expect(options(text), text).to.deep.equal({ a: expected });
  });

  it('refuses what is not whole or not a name, with what was expected', () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['', /plug-ins such as/],
      [' , ', /plug-ins such as/],
      ['../helmet', /plug-ins such as/],
      ['a.b', /plug-ins such as/],
      ['-a', /name of a plug-in/],
      ['_a', /name of a plug-in/],
      [`${'a'.repeat(65)}`, /name of a plug-in/],
      ['a(', /closing parenthesis/],
      ['a(x=1', /closing parenthesis/],
      ['a(x="1)', /closing quote/],
      ["a(x='1)", /closing quote/],
      ['a(x=f(y))', /quotes around a value with \(/],
      ['a(x=y"z")', /quotes around a value with "/],
      ['a(x="1"y)', /plug-ins such as/],
      ['a(x=1)b', /plug-ins such as/],
      ['a(x=1,x=2)', /option x once/],
      ['a(1=x)', /name of an option/],
      ['a(__proto__=x)', /name of an option/],
      ['a(constructor=x)', /name of an option/],
      ['a)', /plug-ins such as/],
      [Array.from({ length: pluginBounds.plugins + 1 }, () => 'a').join(','), /at most 20 plug-ins/],
      [`a(${Array.from({ length: pluginBounds.options + 1 }, (_, at) => `o${at}`).join(',')})`, /at most 50 options/],
      [`a(x=${'y'.repeat(pluginBounds.valueCharacters + 1)})`, /at most 4,000 characters/],
    ];
    for (const [text, expected] of cases) expect(parse(text), text).to.match(expected);
  });

  it('separates by SEPARATOR, inside the parentheses too', () => {
    expect(parse('a(x=1,2;y=3);b', ';')).to.deep.equal([{ name: 'a', options: { x: '1,2', y: 3 } }, { name: 'b' }]);
    expect(parse('a(x=1|2||y=3)||b', '||')).to.deep.equal([{ name: 'a', options: { x: '1|2', y: 3 } }, { name: 'b' }]);
  });

  const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,20}$/);
  const key = fc
    .stringMatching(/^[A-Za-z_$][A-Za-z0-9_-]{0,10}$/)
    .filter((each) => !/^(__proto__|constructor|prototype)$/.test(each));
  const value = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.boolean(),
    fc.integer(),
    fc.constantFrom('\\', '"', "'", ',', '(', ')'),
  );
  const use = fc.record({
    name,
    options: fc.dictionary(key, value, { minKeys: 1, maxKeys: 5, noNullPrototype: true }),
  });

  it('can say every value: what is written with quotes is read as it was', () => {
    const written = (uses: readonly PluginUse[]) =>
      uses
        .map((each) => `${each.name}(${Object.entries(each.options ?? {}).map(([of, is]) => `${of}=${quoted(is)}`)})`)
        .join();
    const quoted = (is: unknown) => (typeof is === 'string' ? `"${is.replace(/[\\"]/g, '\\$&')}"` : String(is));
    fc.assert(
      fc.property(fc.array(use, { minLength: 1, maxLength: 5 }), (uses) => {
        expect(parse(written(uses))).to.deep.equal(uses);
      }),
      { numRuns: 500, seed: 20261128 },
    );
  });

  it('never throws, and what it reads passes its own schema', () => {
    const schema = plugins.schema(zod.z);
    fc.assert(
      fc.property(
        fc.stringMatching(/^[ab_$0 ,;=()'"\\.-]{0,40}$/),
        fc.constantFrom(',', ';', '||', ''),
        (text, separator) => {
          const parsed = parse(text, separator);
          if (typeof parsed !== 'string')
            expect(schema.safeParse(parsed)).to.deep.equal({ success: true, data: parsed });
        },
      ),
      { numRuns: 1_000, seed: 20261128 },
    );
  });

  it('is refused in a document where it could not have been written', () => {
    const schema = plugins.schema(zod.z);
    const wrong: readonly unknown[] = [
      [],
      'helmet',
      [{ name: '../x' }],
      [{ name: 'a', options: { x: null } }],
      [{ name: 'a', options: { x: { y: 1 } } }],
      [{ name: 'a', options: { constructor: 'x' } }],
      [JSON.parse('{"name":"a","options":{"__proto__":"x"}}')],
    ];
    for (const each of wrong) expect(schema.safeParse(each).success, JSON.stringify(each)).to.equal(false);
  });

  it('accepts names of files', () => {
    expect(['helmet', 'a-b_c', '9'].every(isPluginName)).to.equal(true);
    expect(['', '.', '..', 'a/b', 'a.b', '_a'].some(isPluginName)).to.equal(false);
  });
});
