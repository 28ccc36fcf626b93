import { expect } from 'chai';
import { pathPatternText } from './path-pattern.ts';
import type { PathType } from './path-type.ts';

describe('pathPatternText', () => {
  // [pathType, written, as it is compared; undefined: refused]
  const cases: readonly [PathType['matcher'], string, string | undefined][] = [
    // brought into the compared form, whatever the matcher
    ...(['path', 'path_beg', 'path_end', 'path_sub'] as const).flatMap(
      (matcher): [PathType['matcher'], string, string][] => [
        [matcher, '/Grüße', '/Gr%C3%BC%C3%9Fe'],
        [matcher, '/Gr%c3%bc%c3%9fe', '/Gr%C3%BC%C3%9Fe'],
        [matcher, '/{x}|^`"<>', '/%7Bx%7D%7C%5E%60%22%3C%3E'],
        [matcher, '/a b', '/a%20b'],
        [matcher, '/%41%7e%2D', '/A~-'],
        [matcher, '/a%2fb', '/a%2Fb'],
        [matcher, '/a\\b', '/a%5Cb'],
        [matcher, "/!$&'()*+,=[]:@", "/!$&'()*+,=[]:@"],
        [matcher, '/日本', '/%E6%97%A5%E6%9C%AC'],
        [matcher, '/😀', '/%F0%9F%98%80'],
      ],
    ),
    ['path_dir', '/Grüße/', 'Gr%C3%BC%C3%9Fe'],
    ['path_dir', 'a/b', 'a/b'],
    ['path_end', 'ü.php', '%C3%BC.php'],
    ['path_sub', '{x}', '%7Bx%7D'],
    ['path_sub', '/.git', '/.git'],
    ['path_sub', '..', '..'],
    // whole paths are resolved
    ['path_beg', '//a//b/', '/a/b/'],
    ['path_beg', '/a/../b/.', '/b/'],
    ['path', '/', '/'],
    // refused: no path matches, so an exclusion would let everything in
    ...(['path', 'path_beg', 'path_end', 'path_sub', 'path_dir'] as const).flatMap(
      (matcher): [PathType['matcher'], string, undefined][] => [
        [matcher, '/a?x=1', undefined],
        [matcher, '/a#b', undefined],
        [matcher, '/a;v=1', undefined],
        [matcher, '/a%', undefined],
        [matcher, '/a%zz', undefined],
        [matcher, '/a%00', undefined],
        [matcher, '/a\tb', undefined],
        [matcher, '/a\ud800', undefined],
      ],
    ),
    ['path', 'a', undefined],
    ['path_beg', 'a', undefined],
    ['path_sub', '//', undefined],
    ['path_end', 'a//b', undefined],
    ['path_sub', '/../', undefined],
    ['path_end', '/..', undefined],
    ['path_end', '/.', undefined],
    ['path_dir', '..', undefined],
    ['path_dir', '/', undefined],
    ['sni', '/a', undefined],
    // expressions: what may occur
    ['path_reg', '^/v\\d{1,3}/', '^/v\\d{1,3}/'],
    ['path_reg', '^/Gr%C3%BC%C3%9Fe', '^/Gr%C3%BC%C3%9Fe'],
    ['path_reg', '^/a(\\?.*)?$', '^/a(\\?.*)?$'],
    ['path_reg', '^/a(\\?|$)', '^/a(\\?|$)'],
    ['path_reg', '^/a;?', '^/a;?'],
    ['path_reg', '^/[^?#]*$', '^/[^?#]*$'],
    ['path_reg', '^/+a', '^/+a'],
    ['path_reg', '/[^/]+/', '/[^/]+/'],
    ['path_reg', '%[0-9A-F]{2}', '%[0-9A-F]{2}'],
    ['path_reg', '(?i)%c3', '(?i)%c3'],
    ['path_reg', '\\.php$', '\\.php$'],
    ['path_reg', '^/(?:a|b)(?P<rest>/.*)?$', '^/(?:a|b)(?P<rest>/.*)?$'],
    // expressions: what occurs in another spelling, wherever it stands
    ['path_reg', '^/Grüße', undefined],
    ['path_reg', '^/(a|ü)', undefined],
    ['path_reg', '^/ü?a', undefined],
    ['path_reg', '^/[a-zäöü]+$', undefined],
    ['path_reg', '^/a b', undefined],
    ['path_reg', '^/\\{x\\}', undefined],
    ['path_reg', '^/{x}', undefined],
    ['path_reg', '\\|', undefined],
    ['path_reg', '%c3', undefined],
    ['path_reg', '%41', undefined],
    ['path_reg', '^//a', undefined],
    ['path_reg', '^/\\x{fc}', undefined],
    ['path_reg', '\\Q{x}\\E', undefined],
    // expressions: what no path holds, where nothing matches without it
    ['path_reg', '^/a\\?b', undefined],
    ['path_reg', '^/a#', undefined],
    ['path_reg', '^/a;v', undefined],
    ['path_reg', '^/a[?#]', undefined],
    ['path_reg', '^/a\\s+b', undefined],
    ['path_reg', '^/a(\\?|;)b', undefined],
    ['path_reg', 'a\\?|b;', undefined],
    ['path_reg', '\\\\', undefined],
    ['path_reg', '(?=x)', undefined],
  ];
  for (const [matcher, written, compared] of cases) {
    it(`${matcher} ${JSON.stringify(written)} → ${compared ?? 'refused'}`, () => {
      const result = pathPatternText(written, { matcher, ignoreCase: false });
      expect(result.ok ? result.text : undefined, JSON.stringify(result)).to.equal(compared);
      if (!result.ok) expect(result.suggestion).not.to.equal('');
    });
  }

  it('takes lower-case hexadecimal digits in an expression without case', () => {
    expect(pathPatternText('%c3', { matcher: 'path_reg', ignoreCase: true }).ok).to.equal(true);
    expect(pathPatternText('%61', { matcher: 'path_reg', ignoreCase: true }).ok).to.equal(false);
  });
});
