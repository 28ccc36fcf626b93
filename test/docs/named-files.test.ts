import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { root } from '../architecture/imports.ts';

const named = /`((?:packages|test|scripts|docker|docs|examples)\/[\w./-]+\.(?:ts|mjs|cjs|md|sh|ya?ml|json|hcl))`/g;

describe('files that the docs name', () => {
  const pages = globSync(['*.md', 'docs/*.md', 'packages/*/README.md'], { cwd: root });

  it('are named in CONTRIBUTING, where something new goes', () => {
    const text = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
    expect([...text.matchAll(named)].length).to.be.greaterThan(15);
  });

  for (const page of pages)
    it(`of ${page} exist`, () => {
      const missing = [...readFileSync(join(root, page), 'utf8').matchAll(named)]
        .map(([, path = '']) => path)
        .filter((path) => !existsSync(join(root, path)) && !existsSync(join(root, dirname(page), path)));
      expect(missing).to.deep.equal([]);
    });
});
