import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { settingsCatalogue } from '@swarmgate/runtime';
import { expect } from 'chai';

const root = new URL('../../', import.meta.url);

describe('docs/limits.md', () => {
  it('names settings and tests that exist', async () => {
    const page = await readFile(new URL('docs/limits.md', root), 'utf8');
    const rows = page.split('\n').filter((line) => /^\| (?!what|---)/.test(line) && !line.startsWith('|---'));
    const settings = new Set(Object.values(settingsCatalogue).flatMap(({ env }): readonly string[] => env));
    expect(rows).to.have.length.above(10);
    for (const row of rows) {
      const [, , , setting = '', , test = ''] = row.split('|').map((cell) => cell.trim().replaceAll('`', ''));
      if (setting !== '–') expect(settings.has(setting), setting).to.equal(true);
      expect(existsSync(new URL(test, root)), test).to.equal(true);
    }
  });
});
