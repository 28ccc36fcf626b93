import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { middlewareKeys, tcpMiddlewareKeys } from '@swarmgate/labels/traefik';
import { expect } from 'chai';
import { mutants } from '../mutants/all.ts';
import { traefikMiddlewareFaults, traefikTcpMiddlewareFaults } from '../mutants/traefik-middlewares.ts';
import { root } from './imports.ts';

describe('planted faults', () => {
  it('replace a text that stands exactly once in their file', () => {
    const misplaced = mutants.filter(
      ({ file, find }) => readFileSync(join(root, file), 'utf8').split(find).length !== 2,
    );
    expect(misplaced.map(({ file, find }) => `${file}: ${find}`)).to.deep.equal([]);
  });

  it('are run with tests that exist', () => {
    const missing = new Set(mutants.flatMap(({ tests }) => tests).filter((file) => !existsSync(join(root, file))));
    expect([...missing]).to.deep.equal([]);
  });

  for (const [protocol, keys, faults] of [
    ['HTTP', middlewareKeys, traefikMiddlewareFaults],
    ['TCP', tcpMiddlewareKeys, traefikTcpMiddlewareFaults],
  ] as const)
    it(`are there for every middleware of Traefik of ${protocol}`, () => {
      expect(Object.keys(faults).sort()).to.deep.equal(Object.keys(keys).sort());
      expect(Object.values(faults).filter((ofOne) => ofOne.length === 0)).to.deep.equal([]);
    });
});
