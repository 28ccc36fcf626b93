import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { problemReasons } from '@swarmgate/labels';
import { expect } from 'chai';
import { root } from '../architecture/imports.ts';

// That every reason in the sources is in the catalogue is the type of `Problem.reason`; that it is in docs/problems.md, the
// test of generated pages. What is left: the catalogue has no reason that nothing reports, and no invented CA's type.
describe('the reasons of problems in docs/problems.md', () => {
  const sources = globSync('packages/*/src/**/*.ts', { cwd: root })
    .filter((file) => !/\.(test|d)\.ts$|(label|serving|certificate|problem)-reasons\.ts$/.test(file))
    .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
  const reasons = Object.keys(problemReasons);

  it('are read from the sources', () => {
    expect(sources.length).to.be.greaterThan(300);
    expect(reasons.length).to.be.greaterThan(100);
  });

  for (const reason of reasons)
    it(`${reason} is reported`, () => {
      expect(sources.some(({ file, text }) => isReported(reason, file, text))).to.equal(true);
    });

  it('are none that only the catalogue has', () => {
    expect(sources.some(({ file, text }) => isReported('acme-no-such-type', file, text))).to.equal(false);
    expect(sources.some(({ file, text }) => isReported('no-such-reason', file, text))).to.equal(false);
  });

  it('have every type of a failed order that has a mend', () => {
    const mends = sources.find(({ file }) => file.endsWith('acme/src/orders/mend.ts'))?.text ?? '';
    const table = mends.slice(mends.indexOf('const mends'), mends.indexOf('const unknown'));
    const types = [...table.matchAll(/^ {2}'?([a-zA-Z-]+)'?: /gm)].map(([, type]) => `acme-${kebab(type ?? '')}`);
    expect(types.length).to.be.greaterThan(20);
    expect(types.filter((type) => !reasons.includes(type))).to.deep.equal([]);
  });
});

/** Quoted as it is, or, of a certificate, without `acme-` as the type of a failure. */
function isReported(reason: string, file: string, text: string): boolean {
  if (text.includes(`'${reason}'`)) return true;
  if (!reason.startsWith('acme-') || !file.startsWith('packages/acme/')) return false;
  const type = reason.slice('acme-'.length);
  const camel = type.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return text.includes(`'${type}'`) || new RegExp(`^ {2}${camel}: `, 'm').test(text);
}

function kebab(type: string): string {
  return type.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
