import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

/** Packages that the file loads at start, itself or by what it imports, and the project's own files on the way. */
function packagesLoadedBy(file: URL): ReadonlySet<string> {
  const packages = new Set<string>();
  const files = new Set([file.href]);
  for (const each of files) {
    const text = readFileSync(fileURLToPath(each), 'utf8');
    for (const [, specifier = ''] of text.matchAll(/^(?:import|export)\s+(?!type\b)[^'"]*?from\s+'([^']+)'/gm)) {
      const found = specifier.startsWith('.') ? new URL(specifier, each).href : import.meta.resolve(specifier);
      if (found.endsWith('.ts')) files.add(found);
      else packages.add(specifier);
    }
  }
  return packages;
}

describe('what a worker loads', () => {
  const loaded = packagesLoadedBy(new URL('../../packages/proxy/src/control/workers/worker-main.ts', import.meta.url));

  it('is seen by this test', () => {
    expect([...loaded]).to.include.members(['lru-cache', 'pino', 'node:net']);
  });

  it('leaves out what only its control process needs: every worker would pay for it', () => {
    for (const name of ['zod', 'consul', 'ioredis', 'node:sqlite', 'selfsigned', 'dockerode'])
      expect([...loaded], name).not.to.include(name);
  });

  it('leaves out what few settings need: it is loaded where they are set', () => {
    for (const name of ['express', 'yaml', 'smol-toml', 'node:https', 'node:http2', 'rate-limiter-flexible'])
      expect([...loaded], name).not.to.include(name);
  });
});

describe('what a command loads', () => {
  const cli = (file: string) => packagesLoadedBy(new URL(`../../packages/cli/src/${file}`, import.meta.url));
  const schemas = ['zod', 'yaml', 're2js'];
  const servers = ['pino', 'prom-client', 'express', 'consul', 'dockerode'];

  it('is seen by this test', () => {
    expect([...cli('serve/standalone.ts')]).to.include.members([...schemas, ...servers, 'node-fetch']);
  });

  const cases = [
    ['its help', 'main.ts', [...schemas, ...servers, 'node-fetch']],
    ['a call of a running process', 'admin-client.ts', [...schemas, ...servers]],
    ['the check of a stack', 'commands/read-stack.ts', ['express', 'consul', 'dockerode']],
    ['the difference to what runs', 'compose/effects.ts', ['express', 'consul', 'dockerode']],
  ] as const;
  for (const [what, file, without] of cases)
    it(`leaves out what ${what} does not need`, () => {
      const loaded = [...cli(file)];
      for (const name of without) expect(loaded, name).not.to.include(name);
    });
});
