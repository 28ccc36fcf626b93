import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from './imports.ts';

const mostLines = 400;

describe('the size of files', () => {
  it(`keeps every source file at most ${mostLines} lines long`, () => {
    const tooLong = globSync('{packages,test,scripts}/**/*.{ts,mjs}', {
      cwd: root,
      exclude: (path) => path.includes('node_modules') || path.includes('dist'),
    })
      .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length }))
      .filter(({ lines }) => lines > mostLines);
    expect(tooLong).to.deep.equal([]);
  });
});
