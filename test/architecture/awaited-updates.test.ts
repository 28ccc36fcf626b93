import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from './imports.ts';

const assignment = /(?<![\w.#]|(?:const|let) )([\w.#]+) (=|\+=|-=) /g;

/**
 * Assignments that read a variable, wait, and write it: what another task wrote to it in the meantime is lost.
 * `x = f(x, await g())` and `x += await g()` do so; so does `x = { ...x, y: await g() }`.
 */
function staleAssignments(source: string): string[] {
  return [...source.matchAll(assignment)].flatMap(({ 0: match, 1: name = '', 2: operator, index }) => {
    const value = expressionAt(source, index + match.length);
    const [before = '', after] = value.split(/\bawait\b/);
    if (after === undefined || before.includes('=>')) return [];
    const read = new RegExp(`(?<![\\w#]|[^.]\\.)${name.replaceAll('.', '\\.')}(?!\\w)`);
    return operator !== '=' || read.test(before) ? [`${match}${value}`.replaceAll(/\s+/g, ' ')] : [];
  });
}

/** The text from there to the end of its statement or of the brackets around it. */
function expressionAt(source: string, start: number): string {
  let depth = 0;
  let end = start;
  for (; end < source.length; end += 1) {
    const char = source[end] ?? '';
    if ('([{'.includes(char)) depth += 1;
    if (')]}'.includes(char)) depth -= 1;
    if (depth < 0 || (depth === 0 && char === ';')) break;
  }
  return source.slice(start, end);
}

describe('variables that several tasks write', () => {
  it('are found where one is read before an await and written after it', () => {
    const stale = [
      'a = f(a, await b());',
      'a += await b();',
      'a = { ...a, b: await c() };',
      'a.b = g(a.b, await c());',
    ];
    for (const source of stale) expect(staleAssignments(source), source).to.have.length(1);
    const fine = ['a = await f(); b = f(a, await c());', 'a = f(await b(), a);', 'a = (b) => f(a, await b());'];
    for (const source of fine) expect(staleAssignments(source), source).to.deep.equal([]);
  });

  it('are read again after the await in all sources', () => {
    const files = globSync('packages/*/src/**/*.{ts,tsx}', { cwd: root }).filter((file) => !/\.test\./.test(file));
    expect(files.length).to.be.greaterThan(400);
    const found = files.flatMap((file) =>
      staleAssignments(readFileSync(join(root, file), 'utf8')).map((text) => `${file}: ${text}`),
    );
    expect(found).to.deep.equal([]);
  });
});
