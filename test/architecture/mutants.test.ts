import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { mutants } from '../mutants/all.ts';
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
});
