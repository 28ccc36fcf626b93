import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from './imports.ts';

const json = (file: string) => JSON.parse(readFileSync(join(root, file), 'utf8')) as Record<string, unknown>;

describe('the version', () => {
  const { version } = json('lerna.json');
  const manifests = ['package.json', ...globSync('packages/*/package.json', { cwd: root })];

  it('is one for all packages, and for what they need of each other', () => {
    expect(manifests.length).to.be.greaterThan(7);
    for (const file of manifests) {
      const manifest = json(file);
      expect(manifest.version, file).to.equal(version);
      const needed = Object.entries({ ...(manifest.dependencies as Record<string, string> | undefined) });
      for (const [name, required] of needed)
        if (name.startsWith('@swarmgate/')) expect(required, `${name} in ${file}`).to.equal(version);
    }
  });

  it('has a heading in the changelog, above those of the versions before and below that of the next one', () => {
    const headings = readFileSync(join(root, 'CHANGELOG.md'), 'utf8').match(/^## .+$/gm) ?? [];
    const [first] = headings[0]?.endsWith(' (unreleased)') === true ? headings.slice(1) : headings;
    expect(first).to.match(new RegExp(`^## ${String(version).replaceAll('.', '\\.')}( |$)`));
  });
});
