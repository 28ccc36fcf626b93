import { existsSync, globSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { settingsCatalogue } from '@swarmgate/runtime';
import { expect } from 'chai';
import { boundedFolders, boundsOfOwn, boundsOnPage } from './bounds.ts';

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

  const constantsOf = (file: string) => {
    const found = readFileSync(new URL(file, root), 'utf8').matchAll(
      /^(?:export )?const ((?:most|longest)\w*) = ([\d_ *]+);/gm,
    );
    return new Map([...found].map(([, name = '', value = '']) => [name, value]));
  };

  it('shows the numbers that the sources hold', async () => {
    const page = await readFile(new URL('docs/limits.md', root), 'utf8');
    for (const [file, constant, shown] of boundsOnPage) {
      const value = constantsOf(file).get(constant);
      expect(value, `${constant} of ${file}`).to.not.equal(undefined);
      expect(page, `${constant} of ${file}`).to.include(shown);
      expect(numberIn(shown), `${constant} of ${file} is ${value}`).to.include(productOf(value ?? ''));
    }
  });

  it('has every bound on what clients, endpoints and callers send', () => {
    const named = boundsOnPage.map(([file, constant]) => `${file} ${constant}`);
    for (const [file, constants] of Object.entries(boundsOfOwn))
      named.push(...constants.map((each) => `${file} ${each}`));
    const found = boundedFolders
      .flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root.pathname }))
      .filter((file) => !file.endsWith('.test.ts'))
      .flatMap((file) => [...constantsOf(file).keys()].map((constant) => `${file} ${constant}`));
    expect(found).to.have.length.above(50);
    expect(found.filter((each) => !named.includes(each))).to.deep.equal([]);
    const isBounded = (each: string) => boundedFolders.some((folder) => each.startsWith(`${folder}/`));
    expect(named.filter((each) => isBounded(each) && !found.includes(each))).to.deep.equal([]);
  });
});

/** `16 * 1024` as a number. */
function productOf(expression: string): number {
  return expression.split('*').reduce((product, factor) => product * Number(factor.replaceAll('_', '')), 1);
}

/** Every number in a text of the page, as it may stand in a source: `64 KB` is 65,536, and `10 s` 10,000 ms. */
function numberIn(text: string): readonly number[] {
  const words: Readonly<Record<string, number>> = { two: 2, four: 4 };
  return [...text.matchAll(/(\d[\d,]*|two|four)(?: (KB|Mi|s)\b)?/g)].flatMap(([, digits = '', unit = '']) => {
    const number = words[digits] ?? Number(digits.replaceAll(',', ''));
    return [number, number * ({ KB: 1_024, Mi: 1_048_576, s: 1_000 }[unit] ?? 1)];
  });
}
