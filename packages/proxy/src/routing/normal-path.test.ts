import { expect } from 'chai';
import fc from 'fast-check';
import { isNormalPath, normalizePath } from './normal-path.ts';

describe('normalizePath', () => {
  const accepted = [
    ['', '/'],
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/a/b/', '/a/b/'],
    ['//', '/'],
    ['/a//b///c', '/a/b/c'],
    ['/a/./b', '/a/b'],
    ['/a/.', '/a/'],
    ['/a/../b', '/b'],
    ['/a/b/..', '/a/'],
    ['/..', '/'],
    ['/../../a', '/a'],
    ['/a//../b', '/b'], // slashes are merged before dot segments are resolved
    ['/%2e%2E/a', '/a'],
    ['/a/%2e', '/a/'],
    ['/.well-known/x', '/.well-known/x'],
    ['/...', '/...'],
    ['/..a', '/..a'],
    ['/%41%7a%30%2d%5F%7e', '/Az0-_~'],
    ['/%3a%40', '/:@'],
    ['/%3b%3D', '/%3B%3D'],
    ['/a;b=c,d+e', '/a;b=c,d+e'],
    ['/%e4%bd', '/%E4%BD'],
    ['/a%20b', '/a%20b'],
    ['/%252e%252e', '/%252e%252e'], // decoded once, never twice
    ['/a%2fb', '/a%2Fb'],
    ['/..%2F..', '/..%2F..'],
    ['/a\\b%5c', '/a%5Cb%5C'],
    ['/{a}|"b"<c>^`', '/%7Ba%7D%7C%22b%22%3Cc%3E%5E%60'],
  ] as const;
  for (const [raw, path] of accepted) {
    it(`${raw} becomes ${path}`, () => expect(normalizePath(raw)).to.deep.equal({ ok: true, path }));
  }

  const refused = [
    ['a', 'path-not-rooted'],
    ['*', 'path-not-rooted'],
    ['http://a/', 'path-not-rooted'],
    ['/a#b', 'path-fragment'],
    ['#', 'path-fragment'],
    ['/a b', 'path-character'],
    ['/a\r\n', 'path-character'],
    ['/ä', 'path-character'],
    ['/a\x7f', 'path-character'],
    ['/a?b', 'path-character'],
    ['/%', 'path-percent'],
    ['/%2', 'path-percent'],
    ['/%zz', 'path-percent'],
    ['/%00', 'path-nul'],
    ['/a/..;/b', 'path-dot-parameter'],
    ['/a/.;x=y', 'path-dot-parameter'],
    ['/a/%2e%2e%3b', 'path-dot-parameter'],
  ] as const;
  for (const [raw, reason] of refused) {
    it(`${JSON.stringify(raw)} is refused: ${reason}`, () =>
      expect(normalizePath(raw)).to.deep.equal({ ok: false, reason }));
  }

  const refusedByTheSetting = [
    ['/a\\b', 'path-backslash'],
    ['/a%5Cb', 'path-backslash'],
    ['/a%2fb', 'path-encoded-slash'],
    ['/..%2F..', 'path-encoded-slash'],
  ] as const;
  for (const [raw, reason] of refusedByTheSetting) {
    it(`${raw} is refused where ENCODED_SLASH=refuse: ${reason}`, () =>
      expect(normalizePath(raw, 'refuse')).to.deep.equal({ ok: false, reason }));
  }

  it('gives a form that stays as it is, and has nothing in it that endpoints read differently', () => {
    const pieces = ['/', '.', '..', '%2e', '%2E', '%41', '%3b', ';', 'a', 'B', '//', '%25', '{', ':', '%20', '%c3'];
    const raw = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => `/${parts.join('')}`);
    fc.assert(
      fc.property(raw, (path) => {
        const once = normalizePath(path);
        if (!once.ok) return;
        expect(normalizePath(once.path)).to.deep.equal(once);
        expect(once.path).to.not.match(/\/\/|\/\.{1,2}(\/|;|$)|%2[eE]|[{}|\\^`"<>#?\s]/);
      }),
      { numRuns: 300, seed: 20260102 },
    );
  });

  it('is not needed where the path is normal already', () => {
    expect(isNormalPath('/a/b.c/-_~:@')).to.equal(true);
    for (const path of ['', 'a', '/%41', '//', '/.', '/a/..', '/a b', '/a#']) {
      expect(isNormalPath(path), path).to.equal(false);
    }
  });
});
