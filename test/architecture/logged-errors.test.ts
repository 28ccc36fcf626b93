import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from './imports.ts';

describe('log lines', () => {
  it('carry errors as objects under err, with code, stack and cause, and not as a message alone', () => {
    const files = globSync('packages/*/src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'));
    const calls = files.flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      return [...text.matchAll(/logger(?:\.\w+|\[\w+\])\(\s*\{[^{}]*\}/g)].map(([call]) => ({ file, call }));
    });
    expect(calls.length).to.be.greaterThan(30);
    expect(calls.filter(({ call }) => /messageOf\(|[{,]\s*error\b(?=\s*[,:}])/.test(call))).to.deep.equal([]);
  });
});
