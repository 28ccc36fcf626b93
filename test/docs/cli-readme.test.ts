import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { processIo } from '../../packages/cli/src/io.ts';
import { createProgram } from '../../packages/cli/src/program.ts';
import { root } from '../architecture/imports.ts';

describe('packages/cli/README.md', () => {
  const text = readFileSync(join(root, 'packages/cli/README.md'), 'utf8');
  const table = text.split('\n').filter((line) => line.startsWith('| `'));
  // The first cell of each line: `explain URL`, `… off`.
  const listed = new Set(
    table.flatMap((line) => [...(line.split(' | ')[0] ?? '').matchAll(/`([a-z]+)/g)].map(([, name = '']) => name)),
  );
  const commands = createProgram(processIo).commands.map((command) => command.name());

  it('lists every command, and none that does not exist', () => {
    expect(commands.length).to.be.greaterThan(15);
    expect([...listed].sort()).to.deep.equal([...commands].sort());
  });
});
