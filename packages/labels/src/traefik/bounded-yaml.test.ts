import { expect } from 'chai';
import { isScalar } from 'yaml';
import { readYaml, yamlBounds } from './bounded-yaml.ts';

const megabyte = 1_048_000;
const fill = (piece: string, before = '') =>
  before + piece.repeat(Math.floor((megabyte - before.length) / piece.length));

/** Aliases of lists of aliases: `levels` powers of `each`. */
function repeated(levels: number, each: number, open: string, item: string, close: string): string {
  const lines = [`a0: &a0 {x: 1}`];
  for (let level = 1; level <= levels; level += 1)
    lines.push(
      `a${level}: &a${level} ${open}${Array(each)
        .fill(`*a${level - 1}`)
        .join(item)}${close}`,
    );
  return `${lines.join('\n')}\n`;
}

describe('YAML within bounds', () => {
  const shownOf = (text: string) => {
    const read = readYaml(text);
    return read.ok ? 'read' : `${read.fault.kind}:${read.fault.line ?? ''} ${read.fault.message}`;
  };

  const hostile: readonly (readonly [what: string, text: string, expected: RegExp])[] = [
    ['more bytes', 'x'.repeat(yamlBounds.bytes + 1), /^bound: it is larger than 1048576 bytes/],
    ['many tags of one value', fill('!a ', 'a: '), /^bound:1 it has more than 1000 tags/],
    ['many tags', fill('- !a b\n'), /^bound:1001 it has more than 1000 tags/],
    ['tags that say their whole name', fill('- !<tag:a> b\n'), /more than 1000 tags/],
    ['anchors and tags of one value', fill('&a !b ', '- '), /more than 1000 tags/],
    ['many aliases', fill('- *a\n', '- &a b\n'), /^bound:1002 it has more than 1000 aliases/],
    ['many anchors', fill('- &a b\n'), /more than 250000 parts/],
    ['many comments', fill('#\n'), /more than 250000 parts/],
    ['empty lines', fill('\n'), /more than 250000 parts/],
    ['many values', fill('- a\n'), /^bound:50000 it has more than 250000 parts/],
    ['commas alone', fill(',', '['), /more than 250000 parts/],
    ['many documents', fill('---\n'), /more than 250000 parts/],
    ['directives alone', fill('%TAG ! x\n'), /^syntax:\d+ /],
    ['a deep list', fill('['), /^bound:1 it is nested deeper than 50 levels/],
    ['a deep map', fill('{a: '), /nested deeper than 50 levels/],
    ['a list in a list in a list', '- '.repeat(100_000), /nested deeper than 50 levels/],
    ['a map in a map', Array.from({ length: 900 }, (_, at) => `${' '.repeat(at)}a:\n`).join(''), /nested deeper/],
    ['a level too many', `${'['.repeat(51)}1${']'.repeat(51)}`, /^bound:1 it is nested deeper than 50 levels/],
    [
      'lists of aliases that grow',
      repeated(9, 10, '[', ',', ']'),
      /more than 200000 values, those that aliases repeat/,
    ],
    ['merge keys that grow', repeated(9, 10, '{<<: [', ',', ']}'), /more than 200000 values/],
    ['an alias inside what it stands for', 'a: &a [*a]\n', /^bound:1 its alias a leads to itself/],
    ['an alias far inside what it stands for', 'a: &a\n  b: {c: [{<<: *a}]}\n', /^bound:2 its alias a leads to itself/],
    ['an alias without its anchor', 'a: 1\nb: *c\n', /^syntax:2 an alias has no anchor before it/],
    ['a name that stands twice', 'a: 1\nb: 2\na: 3\n', /^syntax:3 Map keys must be unique/],
    ['no YAML', 'a: [\n', /^syntax:\d /],
    ['two documents', 'a: 1\n---\nb: 2\n', /^syntax:2 /],
  ];
  for (const [what, text, expected] of hostile)
    it(`refuses ${what}`, () => {
      expect(shownOf(text)).to.match(expected);
    });

  it('reads what people write: anchors, merge keys, tags, a thousand services', () => {
    const services = Array.from({ length: 1_000 }, (_, at) => `  s${at}:\n    <<: *base\n    image: !!str ${at}\n`);
    expect(shownOf(`x: &base\n  deploy: {labels: {a: b}}\nservices:\n${services.slice(0, 900).join('')}`)).to.equal(
      'read',
    );
    expect(shownOf('a: "!x *y [[[["\nb: |\n  * & ! [[[\n')).to.equal('read');
    const brackets = `a: |\n${'  [[[[[[[[[[[[[[[\n  !a\n  *b\n'.repeat(2_000)}`;
    expect(shownOf(brackets)).to.equal('read');
  });

  it('resolves an alias to the last anchor of its name before it', () => {
    const read = readYaml('- &a 1\n- *a\n- &a 2\n- *a\n');
    if (!read.ok) throw new Error(read.fault.message);
    const { document, resolved } = read.yaml;
    const items = (document.contents as { readonly items?: readonly unknown[] } | null)?.items ?? [];
    expect(items.map(resolved).map((node) => (isScalar(node) ? node.value : node))).to.deep.equal([1, 1, 2, 2]);
  });
});
