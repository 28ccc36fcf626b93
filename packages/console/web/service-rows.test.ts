import { expect } from 'chai';
import { exampleRoute } from './example-route.ts';
import {
  curlOf,
  describeEndpoints,
  explainUrl,
  filterRows,
  matchesOf,
  type ServiceRow,
  serviceRow,
  sortRows,
} from './service-rows.ts';
import { ServiceStates } from './service-states.ts';
import type { Endpoint, Problem, Route, RowNumbers } from './types.ts';

const endpoint = (id: string, more: Partial<Endpoint> = {}): Endpoint => ({
  id,
  host: '10.0.0.7',
  port: 80,
  state: 'active',
  health: 'healthy',
  outstanding: 0,
  ...more,
});
const route = (service: string, more: Partial<Route> = {}): Route =>
  exampleRoute(service, { endpoints: [endpoint(`${service}.1`)], ...more });
const problem = (service: string, severity: Problem['severity']): Problem => ({
  owner: 'swarm',
  service,
  severity,
  reason: 'label-unknown',
  message: '',
});
const rate = (requestsPerSecond: number, p99Ms: number | null = null) =>
  ({ requestsPerSecond, p99Ms, p50Ms: null, errorsPercent: 0 }) satisfies RowNumbers;

function serviceRows(
  routes: readonly Route[],
  numbers: readonly { readonly service: string; readonly numbers: RowNumbers | null }[],
  problems: readonly Problem[],
): readonly ServiceRow[] {
  const states = new ServiceStates();
  const keyOf = ({ owner, service }: { readonly owner: string; readonly service: string }) => `${owner}/${service}`;
  for (const [key, its] of Map.groupBy(routes, keyOf)) states.setRoutes(key, its);
  for (const { service, numbers: its } of numbers) states.setNumbers(service, its);
  for (const [key, its] of Map.groupBy(problems, keyOf)) states.setProblems(key, its);
  return states.rows();
}

describe('the rows of the overview', () => {
  const stateOf = (routes: readonly Route[], problems: readonly Problem[] = []) =>
    serviceRows(routes, [], problems)[0]?.state;

  for (const [title, state, expected] of [
    ['serves', stateOf([route('a')]), 'ok'],
    [
      'has an endpoint that is ejected beside one that serves',
      stateOf([route('a', { endpoints: [endpoint('1', { health: 'ejected' }), endpoint('2')] })]),
      'ok',
    ],
    ['has no endpoint', stateOf([route('a', { endpoints: [] })]), 'down'],
    [
      'has only endpoints that are ejected',
      stateOf([route('a', { endpoints: [endpoint('1', { health: 'ejected' })] })]),
      'down',
    ],
    [
      'has only endpoints that drain',
      stateOf([route('a', { endpoints: [endpoint('1', { state: 'draining' })] })]),
      'down',
    ],
    [
      'has endpoints that no check has seen',
      stateOf([route('a', { endpoints: [endpoint('1', { health: 'unknown' })] })]),
      'ok',
    ],
    ['redirects to another host, and needs none', stateOf([route('a', { endpoints: [], redirectToHost: 'b' })]), 'ok'],
    ['is in maintenance, whatever else', stateOf([route('a', { endpoints: [], maintenance: true })]), 'maintenance'],
    ['is blocked', stateOf([route('a', { blockedBy: 'feature' })]), 'warning'],
    ['has a warning', stateOf([route('a')], [problem('a', 'warning')]), 'warning'],
    ['has an error', stateOf([route('a')], [problem('a', 'warning'), problem('a', 'error')]), 'error'],
    ['was rejected, so no route has it', stateOf([], [problem('a', 'error')]), 'error'],
    ['has no route, because another service has its match', stateOf([], [problem('a', 'warning')]), 'error'],
  ] as const)
    it(`show ${expected} for a service that ${title}`, () => {
      expect(state).to.equal(expected);
    });

  it('count an endpoint once that serves several routes', () => {
    const [row] = serviceRows([route('a'), route('a', { index: 1 })], [], []);
    expect([row?.endpointsUp, row?.endpoints, row?.routes.length]).to.deep.equal([1, 1, 2]);
  });

  for (const [routes, endpoints, text] of [
    [[route('a')], [endpoint('1'), endpoint('2', { health: 'ejected' })], '1 of 2 take requests'],
    [[route('a')], [endpoint('1', { state: 'draining' })], '0 of 1 take requests'],
    [[route('a')], [endpoint('1'), { ...endpoint('2'), state: 'gone' }], '1 of 1 take requests'],
    [[route('a', { maintenance: true })], [endpoint('1')], '1 of 1 up, in maintenance'],
    [[route('a')], [], '0 of 0 take requests'],
    [[], [endpoint('1')], '1 of 1 up, without requests: no match is in force'],
    [[], [], 'none: no match is in force'],
    [[route('a', { redirectToHost: 'b' })], [], 'none: requests are redirected to another host'],
    [[route('a', { redirectToHost: 'b' }), route('a', { index: 1 })], [], '0 of 0 take requests'],
  ] as const)
    it(`describe ${endpoints.length} endpoints of ${routes.length} routes as “${text}”`, () => {
      expect(describeEndpoints(routes, endpoints)).to.equal(text);
    });

  it('keep services of one name and several owners apart', () => {
    const rows = serviceRows([route('a'), route('a', { owner: 'manual' })], [], []);
    expect(rows.map(({ key }) => key)).to.deep.equal(['swarm/a', 'manual/a']);
  });

  const rows: readonly ServiceRow[] = serviceRows(
    [
      route('shop'),
      route('blog', { endpoints: [] }),
      route('api', { conditions: { serviceDomain: ['Shop.example'] } }),
    ],
    [
      { service: 'swarm/shop', numbers: rate(5, 20) },
      { service: 'swarm/blog', numbers: null },
      { service: 'swarm/api', numbers: rate(50, 2) },
    ],
    [problem('blog', 'warning')],
  );
  for (const [filter, names] of [
    ['', ['shop', 'blog', 'api']],
    ['  SHOP ', ['shop', 'api']],
    ['shop swarm/shop', ['shop']],
    ['is:down', ['blog']],
    ['is:ok shop.example', ['api']],
    ['is:nothing', []],
    ['label-unknown', ['blog']],
    ['(', []],
  ] as const)
    it(`are filtered by ${JSON.stringify(filter)}`, () => {
      expect(filterRows(rows, filter).map(({ service }) => service)).to.deep.equal(names);
    });

  it('are filtered by the state that the list shows, and by its name in the REST', () => {
    const unserved = serviceRow('swarm/late', [], undefined, [problem('late', 'warning')]);
    for (const filter of ['is:problem', 'is:error', 'IS:PROBLEM late'])
      expect(filterRows([...rows, unserved], filter), filter).to.deep.equal([unserved]);
  });

  for (const [column, descending, names] of [
    ['rate', true, ['api', 'shop', 'blog']],
    ['rate', false, ['blog', 'shop', 'api']],
    ['p99', true, ['shop', 'api', 'blog']],
    ['service', false, ['api', 'blog', 'shop']],
    ['service', true, ['shop', 'blog', 'api']],
    ['owner', true, ['api', 'blog', 'shop']],
    ['state', true, ['blog', 'api', 'shop']],
  ] as const)
    it(`are sorted by ${column}, ${descending ? 'highest' : 'lowest'} first, equal ones by name`, () => {
      expect(sortRows(rows, { column, descending }).map(({ service }) => service)).to.deep.equal(names);
    });
});

describe('the matches of a route', () => {
  for (const [conditions, matches] of [
    [{}, ['*/']],
    [{ servicePath: ['/a', '/b'] }, ['*/a', '*/b']],
    [{ serviceDomain: ['a.example', 'b.example'], servicePath: ['/c'] }, ['a.example/c', 'b.example/c']],
    [{ serviceDomain: 'a.example' }, ['a.example/']],
    [{ serviceDomain: { odd: 1 } }, ['*/']],
  ] as const)
    it(`${JSON.stringify(conditions)} are ${matches.join(', ')}`, () => {
      expect(matchesOf({ conditions })).to.deep.equal(matches);
    });
});

describe('the way to a route by its match', () => {
  for (const [match, url, command] of [
    ['*/hello', 'http://localhost/hello', 'curl http://localhost:8000/hello'],
    ['shop.example/cart', 'http://shop.example/cart', "curl -H 'Host: shop.example' http://localhost:8000/cart"],
    ['*.example/', 'http://www.example/', "curl -H 'Host: www.example' http://localhost:8000/"],
  ] as const)
    it(`${match} is ${url}, and a command`, () => {
      expect([explainUrl(match), curlOf(match, 'localhost', 8000)]).to.deep.equal([url, command]);
    });

  it('leaves port 80 out', () => {
    expect(curlOf('*/a', 'gate.example', 80)).to.equal('curl http://gate.example/a');
  });
});
