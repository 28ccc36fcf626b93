import { expect } from 'chai';
import { checkBounds, serviceBounds } from './check-bounds.ts';
import type { Destination } from './service-definition.ts';

const numbered = (count: number, text: (at: number) => string) => Array.from({ length: count }, (_, at) => text(at));
const one = (fields: Partial<Destination>, index = 0): Destination => ({ index, since: 0, port: 80, ...fields });

describe('checkBounds', () => {
  // [what, a service at the bound, the same with one more]
  const bounds: readonly [string, (more: 0 | 1) => readonly Destination[]][] = [
    ['destinations', (more) => numbered(serviceBounds.destinations + more, String).map((_, at) => one({}, at))],
    ['hosts', (more) => [one({ serviceDomain: numbered(serviceBounds.hosts + more, (at) => `${at}.example`) })]],
    [
      'redirected hosts',
      (more) => [one({ redirectFromDomain: numbered(serviceBounds.hosts + more, (at) => `${at}.example`) })],
    ],
    ['paths', (more) => [one({ servicePath: numbered(serviceBounds.patterns + more, (at) => `/${at}`) })]],
    ['exclusions', (more) => [one({ servicePathExclude: numbered(serviceBounds.patterns + more, (at) => `/${at}`) })]],
    ['user agents', (more) => [one({ userAgent: numbered(serviceBounds.patterns + more, String) })]],
    [
      'hosts × paths',
      (more) =>
        [
          one(
            { serviceDomain: numbered(200, (at) => `${at}.example`), servicePath: numbered(100, (at) => `/${at}`) },
            1,
          ),
          ...(more === 0 ? [] : [one({ servicePath: ['/'] }, 2)]),
        ].slice(0, 1 + more),
    ],
    [
      // 18 + 2 instructions by the estimate: `x{18}` counts 18.
      'cost of expressions',
      (more) => [
        one({
          pathType: { matcher: 'path_reg', ignoreCase: false },
          servicePath: [...numbered(4, () => 'x{5000}'), ...(more === 0 ? [] : ['x'])],
        }),
      ],
    ],
    [
      'cost of rewrites',
      (more) => [
        one({
          reqPathSearchReplace: [...numbered(4, () => 'x{5000}'), ...(more === 0 ? [] : ['x'])].map((search) => ({
            search,
            replace: '',
          })),
        }),
      ],
    ],
  ];
  for (const [what, service] of bounds) {
    it(`${what}: takes the bound and refuses one more`, () => {
      expect(checkBounds(service(0))).to.deep.equal([]);
      const [problem, ...more] = checkBounds(service(1));
      expect(problem).to.include({ severity: 'error', reason: 'service-too-large' });
      expect(more).to.deep.equal([]);
    });
  }
});
