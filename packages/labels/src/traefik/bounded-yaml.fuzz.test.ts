import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { readYaml } from './bounded-yaml.ts';
import { readDynamicFile } from './dynamic-file.ts';

const corpus = [
  'http:\n  routers:\n    a:\n      rule: Host(`a`)\n      middlewares: [b, c@swarm]\n      service: web@swarm\n',
  'http:\n  middlewares:\n    b: &b\n      ipAllowList: {sourceRange: [10.0.0.0/8]}\n    c:\n      <<: *b\n',
  'http: {services: {a: {loadBalancer: {servers: [{url: "http://a"}]}}}}\n',
  'tls:\n  options:\n    default: {clientAuth: {clientAuthType: RequireAnyClientCert}}\n',
  '# a comment\ntcp:\n  routers: {a: {rule: "HostSNI(`*`)"}}\n',
  'a: |\n  text\n  more\nb: >-\n  folded\n? complex\n: value\n',
];
const pieces = [
  '\n',
  '  ',
  '    ',
  ': ',
  '- ',
  '? ',
  '[',
  ']',
  '{',
  '}',
  ',',
  '&a ',
  '*a',
  '!!str ',
  '!x ',
  '<<: *a\n',
];
const morePieces = [
  '"',
  "'",
  '|\n',
  '>\n',
  '#',
  '%TAG ! x\n',
  '---\n',
  '...\n',
  '\u0002',
  '\u001f',
  '\t',
  '\r\n',
  '{{',
];

describe('YAML, whatever it is', () => {
  const text = fc
    .tuple(
      fc.constantFrom(...corpus),
      fc.array(
        fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(...pieces, ...morePieces), fc.string({ maxLength: 5 })), fc.nat(4)),
        { maxLength: 12 },
      ),
    )
    .map(([seed, edits]) =>
      edits.reduce((sofar, [at, piece, removed]) => {
        const place = at % (sofar.length + 1);
        return sofar.slice(0, place) + piece + sofar.slice(place + removed);
      }, seed),
    );

  it('is read or refused with its place, by every reader', () => {
    fc.assert(
      fc.property(text, (yaml) => {
        const read = readYaml(yaml);
        if (!read.ok) {
          expect(read.fault.message).to.be.a('string').that.is.not.equal('');
          if (read.fault.line !== undefined) expect(read.fault.line).to.be.within(1, yaml.split('\n').length + 1);
        }
        const file = readDynamicFile(yaml, 'dynamic.yml');
        // What one reader cannot read says nothing to the other.
        if (!read.ok && read.fault.message !== 'Map keys must be unique') expect(file.ok).to.equal(false);
        if (!file.ok) expect(file.problem.message).to.match(/^dynamic\.yml(:\d+)?: /);
      }),
      fuzzRuns(2_000, 20_261_128),
    );
  });

  // Two minutes and more where the time grows with the square of the size. Of this processor, whatever else runs on it:
  // a second at most is usual.
  it('takes seconds of the processor for any megabyte', () => {
    const fill = (piece: string, before = '') => before + piece.repeat((1_048_000 - before.length) / piece.length);
    const texts = [
      ...[...pieces, ...morePieces].map((piece) => fill(piece)),
      ...['!a\n', '&a !b ', '- &a b\n', '- *a\n', '#\n', 'a:\n', 'a: b: c\n', '@\n', '[a: b,', '1'].map((piece) =>
        fill(piece),
      ),
      ...['"', "'", '|\n', '>\n'].map((style) => fill('  b\n', `a: ${style}`)),
      `[${','.repeat(249_000)}`,
      Array.from({ length: 27_000 }, (_, at) => `k${at}: 1\n`).join(''),
      Array.from({ length: 1_300 }, (_, at) => `${' '.repeat(at)}a:\n`).join(''),
    ];
    for (const each of texts) {
      const before = process.cpuUsage();
      readYaml(each);
      const { user, system } = process.cpuUsage(before);
      expect((user + system) / 1_000, `ms for ${JSON.stringify(each.slice(0, 20))}`).to.be.below(20_000);
    }
  }).timeout(300_000);
});
