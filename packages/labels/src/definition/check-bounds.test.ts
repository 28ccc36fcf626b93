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
      'header conditions',
      (more) => [
        one({
          serviceHeader: Object.fromEntries(
            numbered(serviceBounds.patterns + more, (at) => `X-${at}`).map((name) => [name, '1']),
          ),
        }),
      ],
    ],
    [
      'rewrites',
      (more) => [
        one({
          reqPathSearchReplace: numbered(serviceBounds.patterns + more, () => '').map((search) => ({
            search,
            replace: '',
          })),
        }),
      ],
    ],
    [
      'middlewares of all destinations',
      (more) =>
        numbered(200 + more, String).map((_, at) =>
          one(
            {
              middlewares: numbered(at < 200 ? 50 : 1, () => '').map(() => ({ kind: 'stripPrefix', prefixes: ['/a'] })),
            },
            at,
          ),
        ),
    ],
    [
      'matchers of rules',
      (more) =>
        numbered(10 + more, String).map((_, at) =>
          one({ rule: numbered(at < 10 ? 1_000 : 1, () => 'Method(`GET`)').join(' || ') }, at),
        ),
    ],
    [
      'paths and exclusions of all destinations together',
      (more) => [
        one({ servicePath: numbered(serviceBounds.patterns / 2, (at) => `/${at}`) }, 1),
        one({ servicePathExclude: numbered(serviceBounds.patterns / 2 + more, (at) => `/${at}`) }, 2),
      ],
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
    [
      'cost of exclusions',
      (more) => [
        one({
          pathType: { matcher: 'path_reg', ignoreCase: true },
          servicePathExclude: [...numbered(4, () => 'x{5000}'), ...(more === 0 ? [] : ['x'])],
        }),
      ],
    ],
    [
      // The rest of its text counts too, once a rule holds an expression.
      'cost of rules',
      (more) => numbered(3 + more, String).map((_, at) => one({ rule: 'PathRegexp(`x{5000}`)' }, at)),
    ],
    [
      'cost of middlewares',
      (more) => [
        one({
          middlewares: [...numbered(4, () => 'x{5000}'), ...(more === 0 ? [] : ['x'])].map((regex) => ({
            kind: 'replacePathRegex' as const,
            regex,
            replacement: '/',
          })),
        }),
      ],
    ],
    [
      'cost of all destinations together',
      (more) => [
        one({ reqPathSearchReplace: [{ search: 'x{5000}', replace: '' }] }, 1),
        one({ pathType: { matcher: 'path_reg', ignoreCase: false }, servicePath: numbered(3, () => 'x{5000}') }, 2),
        ...(more === 0 ? [] : [one({ reqPathSearchReplace: [{ search: 'x', replace: '' }] }, 3)]),
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
