import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from './imports.ts';

interface LockEntry {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

describe('package-lock.json', () => {
  const text = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const packages = (JSON.parse(text) as { readonly packages: Readonly<Record<string, LockEntry>> }).packages;

  it('holds every optional platform package, so that npm ci takes it on any platform (node scripts/complete-lock.mjs)', () => {
    const missing = Object.entries(packages).flatMap(([path, entry]) =>
      Object.entries(entry.optionalDependencies ?? {})
        .filter(([name, version]) => /^\d/.test(version) && /darwin|win32|linux|android|freebsd/.test(name))
        .map(([name]) => name)
        .filter(
          (name) =>
            packages[`${path}/node_modules/${name}`] === undefined && packages[`node_modules/${name}`] === undefined,
        ),
    );
    expect(missing).to.deep.equal([]);
  });

  it('names no registry host', () => {
    const hosts = Object.values(packages).filter((entry) => entry.resolved?.startsWith('http'));
    expect(hosts).to.deep.equal([]);
  });

  it('pins every dependency that the project names to one version', () => {
    const manifests = [
      'package.json',
      ...['runtime', 'labels', 'registry', 'swarm-listener', 'console', 'proxy', 'cli'].map(
        (name) => `packages/${name}/package.json`,
      ),
    ];
    const loose = manifests.flatMap((file) => {
      const manifest = JSON.parse(readFileSync(join(root, file), 'utf8')) as Record<
        string,
        Record<string, string> | undefined
      >;
      return Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
        .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
        .map(([name, version]) => `${file}: ${name}@${version}`);
    });
    expect(loose).to.deep.equal([]);
  });
});
