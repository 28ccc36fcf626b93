import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from '../architecture/imports.ts';

describe('the lines of the debug log in docs/observability.md', () => {
  const page =
    readFileSync(join(root, 'docs/observability.md'), 'utf8').split('## What LOG_LEVEL=debug shows')[1] ?? '';
  const rows = page.split('\n').filter((line) => line.startsWith('| w'));
  const lines = rows.flatMap((row) =>
    [...(row.split('|')[2] ?? '').matchAll(/`([^`]+)`/g)].map(([, line]) => line ?? ''),
  );
  const sources = globSync('packages/*/src/**/*.ts', { cwd: root })
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(root, file), 'utf8'));

  it('are found', () => expect(lines).to.have.length.above(9));

  for (const line of lines)
    it(`are written by the code: ${line}`, () => {
      expect(sources.some((source) => source.includes(`'${line}'`))).to.equal(true);
    });
});
