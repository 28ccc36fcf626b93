import { readFileSync } from 'node:fs';
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
    const files = new Set(mutants.flatMap(({ tests }) => tests));
    for (const file of files) expect(readFileSync(join(root, file), 'utf8'), file).to.include('it(');
  });
});
