import { expect } from 'chai';
import { withRows } from '../bench/performance-page.ts';

describe('figures that are published row by row', () => {
  const heading = '| case | proxy | µs |\n|---|---|---|';
  const section = (machine: string, ...rows: readonly string[]) =>
    `Machine: ${machine}.\n\n${heading}\n${rows.join('\n')}`;
  const page = (text: string) => `before\n<!-- bench:any -->\n${text}\n<!-- /bench:any -->\nbehind\n`;
  const small = ['| small | ours | 1 |', '| small | theirs | 2 |'];
  const large = ['| large | ours | 3 |'];

  it('take the place of the rows of the same case', () => {
    const text = withRows(page(section('A', ...small, ...large)), 'any', section('A', '| small | ours | 5 |'));
    expect(text).to.equal(page(section('A', '| small | ours | 5 |', ...large)));
  });

  it('stand below the machine that they were measured on, and the others below theirs', () => {
    const text = withRows(page(section('A', ...small, ...large)), 'any', section('B', '| small | ours | 5 |'));
    expect(text).to.equal(page(`${section('B', '| small | ours | 5 |')}\n\n${section('A', ...large)}`));
    expect(withRows(text, 'any', section('B', ...large))).to.equal(
      page(section('B', '| small | ours | 5 |', ...large)),
    );
  });

  it('replace their own notes, and leave those of other rows', () => {
    const before = `${section('A', ...small, ...large)}\n\nsmall: two processes.\n\nlarge: three processes.`;
    const text = withRows(page(before), 'any', `${section('A', ...small)}\n\nsmall: four processes.`);
    expect(text).to.equal(
      page(`${section('A', ...small, ...large)}\n\nlarge: three processes.\n\nsmall: four processes.`),
    );
  });

  it('may be the first of a section, and of several tables', () => {
    const other = '| what | ms |\n|---|---|';
    const two = `${section('A', ...small)}\n\n${other}\n| a swap | 1 |`;
    const text = withRows(page(''), 'any', two);
    expect(text).to.equal(page(two));
    expect(withRows(text, 'any', `Machine: A.\n\n${other}\n| a swap | 2 |`)).to.equal(
      page(`${section('A', ...small)}\n\n${other}\n| a swap | 2 |`),
    );
  });
});
