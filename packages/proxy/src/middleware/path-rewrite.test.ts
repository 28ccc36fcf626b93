import type { PathRewrite } from '@swarmgate/registry';
import { expect } from 'chai';
import { exchangeOf, outcomeOf, routeOf } from '../../test/middleware-fixture.ts';
import { pathRewrite } from './path-rewrite.ts';

async function rewritten(path: string, ...rewrites: PathRewrite[]): Promise<string> {
  const exchange = exchangeOf(routeOf(), { path, query: '?q=/api' });
  const outcome = await outcomeOf([pathRewrite(rewrites)], exchange);
  expect(exchange.query).to.equal('?q=/api');
  return outcome === 'passes' ? exchange.path : outcome;
}

describe('pathRewrite', () => {
  const cases: readonly [string, string, PathRewrite[], string][] = [
    ['a prefix', '/api/v1', [{ search: '^/api', replace: '/v2' }], '/v2/v1'],
    ['the first match only', '/a/a', [{ search: 'a', replace: 'b' }], '/b/a'],
    ['all of them', '/a/a', [{ search: 'a', replace: 'b', all: true }], '/b/b'],
    ['without case', '/API', [{ search: 'api', replace: 'x', ignoreCase: true }], '/x'],
    ['groups', '/users/7/posts', [{ search: '^/users/(\\d+)/(.*)$', replace: '/\\2/of/\\1' }], '/posts/of/7'],
    ['the whole match', '/a', [{ search: 'a', replace: '\\0\\0' }], '/aa'],
    ['a group that took no part', '/b', [{ search: '(a)?b', replace: '[\\1]' }], '/[]'],
    ['a group that is not there', '/b', [{ search: 'b', replace: 'c\\7' }], '/c'],
    [
      'in sequence',
      '/a',
      [
        { search: 'a', replace: 'b' },
        { search: 'b', replace: 'c' },
      ],
      '/c',
    ],
    ['removed, and rooted again', '/api/x', [{ search: '^/api/', replace: '' }], '/x'],
    ['removed completely', '/api', [{ search: '^/api', replace: '' }], '/'],
    ['no match', '/a', [{ search: 'z', replace: 'b' }], '/a'],
    ['an empty match, everywhere', '/a', [{ search: 'x*', replace: '-', all: true }], '/-/-a-'],
    ['a dollar is a dollar', '/a', [{ search: 'a', replace: '$1$&' }], '/$1$&'],
    ['dot segments that come of it are resolved', '/a/x/b', [{ search: 'x', replace: '..' }], '/b'],
    ['what is no path is refused', '/a', [{ search: 'a', replace: '%00' }], '400 rewritten-path-invalid'],
  ];
  for (const [what, path, rewrites, result] of cases) {
    it(`${what}: ${path} → ${result}`, async () => {
      expect(await rewritten(path, ...rewrites)).to.equal(result);
    });
  }

  const grows = { search: '.', replace: '\\0\\0', all: true };
  for (const [what, path, rewrites] of [
    ['doubles it again and again', `/${'x'.repeat(100)}`, Array.from({ length: 30 }, () => grows)],
    ['puts all of it in many times', `/${'x'.repeat(30_000)}`, [{ search: '.*', replace: '\\0'.repeat(10_000) }]],
    ['puts each character in many times', `/${'x'.repeat(30_000)}`, [{ ...grows, replace: '\\0'.repeat(10_000) }]],
    ['puts in a long text for each character', `/${'x'.repeat(1_000)}`, [{ ...grows, replace: 'y'.repeat(10_000) }]],
    ['keeps a tail that is too long with it', `/a${'x'.repeat(30_000)}`, [{ search: 'a', replace: 'y'.repeat(9_000) }]],
    [
      'reads a long one thousands of times',
      `/${'x'.repeat(30_000)}`,
      Array.from({ length: 5_000 }, () => ({ search: 'z', replace: '' })),
    ],
  ] as const)
    it(`refuses a path where a rewrite ${what}, before it costs much`, async () => {
      expect(await rewritten('/', ...rewrites.slice(0, 1))).to.be.a('string');
      const { user, system } = process.cpuUsage();
      expect(await rewritten(path, ...rewrites)).to.equal('400 rewritten-path-too-long');
      const now = process.cpuUsage();
      expect((now.user - user + now.system - system) / 1_000, 'milliseconds').to.be.below(2_000);
    });

  it('takes a result as long as the bound, and none longer', async () => {
    const path = `/${'x'.repeat(32_766)}`;
    expect(await rewritten(path, { search: '$', replace: 'y' })).to.have.length(32_768);
    expect(await rewritten(path, { search: '$', replace: 'yy' })).to.equal('400 rewritten-path-too-long');
  });

  it('takes time in proportion to the path, whatever the expression', async () => {
    // A backtracking engine would need longer than the universe has.
    expect(await rewritten(`/${'x'.repeat(2000)}`, { search: '(x+x+)+y', replace: 'z' })).to.have.length(2001);
  });
});
