import { expect } from 'chai';
import { RE2JS } from 're2js';
import { regularExpressionFault } from './regular-expression.ts';

describe('regularExpressionFault', () => {
  for (const usual of [
    '^/api/v[0-9]{1,3}/(users|orders)/[^/]+$',
    '^/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/',
    '\\p{Greek}{2,}[[:alpha:]\\]]{3}\\{',
    '^/(?P<tenant>[a-z]{1,63})(/[a-z0-9-]{1,63}){1,8}$',
  ]) {
    it(`takes ${usual}`, () => {
      expect(regularExpressionFault(usual)).to.equal(undefined);
    });
  }

  for (const large of ['(x?){900}'.repeat(90), `(${'a'.repeat(900)}){100}`, '((ab){30}c){30}'.repeat(10)]) {
    it(`refuses ${large.slice(0, 20)}… (${large.length} characters) without compiling it`, () => {
      const { compile } = RE2JS;
      let compiled = 0;
      RE2JS.compile = (source, flags) => {
        compiled += 1;
        return compile.call(RE2JS, source, flags);
      };
      try {
        expect(regularExpressionFault(large)).to.include('too large');
      } finally {
        RE2JS.compile = compile;
      }
      expect(compiled).to.equal(0);
    });
  }

  it('reports what the engine does not support', () => {
    expect(regularExpressionFault('(?=a)')).to.include('look-around');
    expect(regularExpressionFault('a{2000}')).to.be.a('string');
  });
});
