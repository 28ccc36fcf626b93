import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from './imports.ts';

// Put together, so that this file does not name them itself.
const hosts = [
  ['registry', 'npmjs', 'org'],
  ['npmjs', 'com'],
  ['yarnpkg', 'com'],
  ['npmmirror', 'com'],
  ['debian', 'org'],
  ['ubuntu', 'com'],
  ['alpinelinux', 'org'],
  ['pypi', 'org'],
  ['pythonhosted', 'org'],
  ['proxy', 'golang', 'org'],
  ['ghcr', 'io'],
  ['quay', 'io'],
  ['gcr', 'io'],
].map((parts) => parts.join('.'));

describe('committed files', () => {
  it('name no host of a package registry or mirror, but for the lock file: the clients of the machine are configured with theirs', () => {
    const isInstalled = (name: string) => ['node_modules', 'dist', '.git', '.swarmgate'].includes(name);
    const files = globSync(['**/*', '.*', '.ci/*'], {
      cwd: root,
      withFileTypes: true,
      exclude: ({ name }) => isInstalled(name),
    })
      .filter((entry) => entry.isFile() && entry.name !== 'package-lock.json' && !entry.name.endsWith('.png'))
      .map((entry) => join(entry.parentPath, entry.name));
    expect(files.length).to.be.greaterThan(300);
    const found = files.flatMap((file) => {
      const text = readFileSync(file, 'utf8');
      return hosts.filter((host) => text.includes(host)).map((host) => `${file}: ${host}`);
    });
    expect(found).to.deep.equal([]);
  });
});
