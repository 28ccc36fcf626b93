import type { PathType } from '@swarmgate/registry';
import { expect } from 'chai';
import { tinyRoute } from '../../../test/test-context.ts';
import { routeTemplateOf } from './route-template.ts';

const folded: PathType = { matcher: 'path_beg', ignoreCase: true };
const expression: PathType = { matcher: 'path_reg', ignoreCase: false };
const ending: PathType = { matcher: 'path_end', ignoreCase: false };

const cases: readonly (readonly [
  paths: readonly string[] | undefined,
  type: PathType | undefined,
  path: string,
  template: string,
])[] = [
  [undefined, undefined, '/any', '/'],
  [['/cart'], undefined, '/cart/7', '/cart'],
  [['/', '/cart'], undefined, '/cart/7', '/cart'],
  [['/', '/cart'], undefined, '/cart', '/cart'],
  // A prefix ends at a segment, not in the middle of a word.
  [['/', '/cart'], undefined, '/cartoon', '/'],
  [['/cart', '/cart/items'], undefined, '/cart/items/7', '/cart/items'],
  [['/', '/Cart'], folded, '/cART/7', '/Cart'],
  [['/', '/Cart'], undefined, '/cart/7', '/'],
  [['^/v[0-9]+/', '^/admin'], expression, '/v2/users', '^/v[0-9]+/'],
  [['^/v[0-9]+/', '^/admin'], expression, '/admin/users', '^/admin'],
  [['.png', '.css'], ending, '/a/b.css', '.css'],
  // Where prefixes end anywhere in a word.
  [['/shop', '/cart'], undefined, '/cartoon', '/cart'],
];

describe('http.route', () => {
  for (const [servicePath, pathType, path, template] of cases)
    it(`of ${path} is ${template} among ${String(servicePath)}${pathType === undefined ? '' : `, ${pathType.matcher}${pathType.ignoreCase ? ' -i' : ''}`}`, () => {
      const route = tinyRoute('shop', {
        ...(servicePath === undefined ? {} : { servicePath }),
        ...(pathType === undefined ? {} : { pathType }),
      });
      expect(routeTemplateOf(route, path)).to.equal(template);
      expect(routeTemplateOf(route, path)).to.equal(template);
    });
});
