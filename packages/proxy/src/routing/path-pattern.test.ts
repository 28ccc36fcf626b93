import { expect } from 'chai';
import { parsePathPattern, pathMatches } from './path-pattern.ts';

describe('an expression for paths', () => {
  // [expression, ignoring case, paths that it matches, paths that it does not]
  const cases: readonly [string, boolean, readonly string[], readonly string[]][] = [
    // The text before a special character is looked at first, so it must be certain.
    ['^/abc/v[0-9]+$', false, ['/abc/v1'], ['/abc/v', '/abd/v1']],
    ['^/abc|^/xyz', false, ['/abc', '/xyz/1'], ['/ab', '/other']],
    ['^/api/(one|two)', false, ['/api/one', '/api/two'], ['/api/three']],
    ['^/abc?$', false, ['/ab', '/abc'], ['/a', '/abcc']],
    ['^/abc*$', false, ['/ab', '/abccc'], ['/a']],
    ['^/abc{0,1}$', false, ['/ab', '/abc'], ['/abcc']],
    ['^/abc', true, ['/abc', '/ABCD'], ['/ab']],
    ['abc', false, ['/abc', '/x/abcd'], ['/ab']],
  ];
  for (const [expression, ignoreCase, met, unmet] of cases)
    it(`matches by the whole of ${expression}${ignoreCase ? ' without case' : ''}`, () => {
      const parsed = parsePathPattern(expression, { matcher: 'path_reg', ignoreCase }, true);
      if (!parsed.ok) throw new Error(parsed.message);
      expect(met.filter((path) => !pathMatches(parsed.pattern, path))).to.deep.equal([]);
      expect(unmet.filter((path) => pathMatches(parsed.pattern, path))).to.deep.equal([]);
    });
});
