import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from '../architecture/imports.ts';

/** Words that are not written, in sources, tests and docs, and what is written instead. */
const avoided: readonly (readonly [word: string, instead: string])[] = [
  ['nobody', 'the component: "no route matches", "the client is denied access"'],
  ['somebody', 'the role: another writer, another service, an operator'],
  ['anybody', 'the role: any client, any process'],
  ['everybody', 'the role: all clients, all services'],
  ['whoever', 'the role: the caller, the client, the owner'],
  ['anew', 'again; or what happens: restarted, rebuilt, reconnects'],
  ['beneath', 'under'],
  ['plane', 'server; exchange context'],
  ['hearsay', 'peer-reported ejection'],
  ['rivalry', 'conflict'],
];

/** Names that are not ours: `nobody` is a user of every Unix. */
const allowed: readonly (readonly [file: string, word: string])[] = [
  ['docker/base-image.mjs', 'nobody'],
  ['test/bench/forwarding.ts', 'nobody'],
];

describe('words', () => {
  const files = globSync(['**/*.{ts,mjs,cjs,md,yaml,yml,sh}'], {
    cwd: root,
    exclude: (name) => /(^|\/)(node_modules|dist|\.git)$/.test(name),
  }).filter((file) => file !== 'test/docs/words.test.ts');

  it('are looked for in all sources and docs', () => {
    expect(files.length).to.be.greaterThan(500);
    expect(files).to.include.members([
      'README.md',
      'docs/routing.md',
      'packages/proxy/src/proxy.ts',
      'docker/stack.yml',
    ]);
  });

  for (const [word, instead] of avoided)
    it(`"${word}" is written nowhere; instead: ${instead}`, () => {
      const found = files
        .filter((file) => !allowed.some(([path, one]) => path === file && one === word))
        .flatMap((file) => linesWith(word, file));
      expect(found).to.deep.equal([]);
    });

  it('that are allowed for a file do occur there', () => {
    expect(allowed.filter(([file, word]) => linesWith(word, file).length === 0)).to.deep.equal([]);
  });
});

function linesWith(word: string, file: string): readonly string[] {
  const pattern = new RegExp(`(?<![\\w-])${word}(?![\\w-])`, 'i');
  return readFileSync(join(root, file), 'utf8')
    .split('\n')
    .flatMap((line, at) => (pattern.test(shown(line, file)) ? [`${file}:${at + 1}: ${line.trim()}`] : []));
}

/** The last column of the glossary lists words to avoid. */
function shown(line: string, file: string): string {
  return file === 'GLOSSARY.md' && line.startsWith('|') ? line.replace(/\|[^|]*\|$/, '|') : line;
}
