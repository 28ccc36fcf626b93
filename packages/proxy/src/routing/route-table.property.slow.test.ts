import type { Destination, ServiceDefinition, ServiceKey } from '@swarmgate/registry';
import { serviceKey } from '@swarmgate/registry';
import { expect } from 'chai';
import fc from 'fast-check';
import type { RequestTarget } from '../model/request-target.ts';
import { compileService } from './compile-service.ts';
import { firstFailed, takesMethod } from './conditions.ts';
import { createRouteTable } from './create-route-table.ts';
import { hostMatches } from './host-pattern.ts';
import type { MatchRule } from './match-rule.ts';
import { acmePath, legacyOrder, type OrderName, strictOrder } from './matching-order.ts';
import { pathMatches } from './path-pattern.ts';
import type { RouteTable } from './route-table.ts';

// A few names that collide often: tables with many conflicts find most faults.
const hosts = ['a.example', 'b.example', 'x.a.example', 'xa.example', 'y.x.a.example', 'other'];
const domains = [...hosts, '*.example', '*.a.example', '*a.example', '*ample', 'a', 'x', 'exam'];
const pathsRequested = ['/', '/a', '/a/', '/a/b', '/a/b/c', '/ab', `${acmePath}/t`, '/.well-known/x', '/A/B', '/b.png'];
const pathTexts = ['/', '/a', '/a/', '/a/b', '/ab', '/b', acmePath, '/.well-known', '/.w', '/A'];

const pathTypes: readonly (readonly [NonNullable<Destination['pathType']>['matcher'], readonly string[]])[] = [
  ['path_beg', pathTexts],
  ['path_beg', pathTexts],
  ['path', pathTexts],
  ['path_end', ['b', '.png', '/']],
  ['path_sub', ['a', 'b/']],
  ['path_dir', ['a', 'b']],
  ['path_reg', ['^/a', 'b$', '/a|/b', '^/[a-z]b']],
];

const few = <T>(values: readonly T[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 });
const perhaps = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 3 });

const destination = fc
  .record({
    // Half of them match any host, so that one host has more paths than are tried one after the other.
    domains: fc.option(few(domains), { nil: undefined, freq: 1 }),
    typed: perhaps(
      fc
        .constantFrom(...pathTypes)
        .chain(([matcher, texts]) =>
          fc.record({ matcher: fc.constant(matcher), ignoreCase: fc.boolean(), texts: few(texts) }),
        ),
    ),
    servicePathExclude: perhaps(few(['/a', '/a/b'])),
    srcPort: perhaps(fc.constantFrom(80, 443)),
    httpsPort: perhaps(fc.constant(8443)),
    serviceHeader: perhaps(fc.constantFrom({ k: '1' }, { k: '2' }, { k: '1', l: '1' })),
    userAgent: perhaps(fc.constant(['Bot'])),
    allowedMethods: perhaps(few(['GET', 'POST'])),
    deniedMethods: perhaps(few(['GET', 'PUT'])),
    redirectFromDomain: perhaps(few(['a.example', 'other'])),
    since: fc.constantFrom(1, 2, 3),
  })
  .map(({ domains: serviceDomain, typed, ...rest }): Omit<Destination, 'index'> => {
    const match = {
      ...rest,
      serviceDomain,
      servicePath: typed?.texts ?? (serviceDomain ? undefined : ['/a']),
      pathType: typed && { matcher: typed.matcher, ignoreCase: typed.ignoreCase },
      port: 80,
    };
    // As JSON has it: what is not set is not there.
    return JSON.parse(JSON.stringify(match));
  });

const definition = fc
  .record({
    service: fc.constantFrom('s1', 's2', 's3', 's4', 's5', 's6'),
    owner: fc.constantFrom('east', 'west', 'manual'),
    aclName: perhaps(fc.constantFrom('1', '2')),
    serviceDomainAlgo: perhaps(fc.constantFrom('hdr(host)', 'hdr_beg(host)', 'hdr_dom(host)', 'hdr_end(host)')),
    proxyInstanceName: perhaps(fc.constantFrom('swarmgate', 'other')),
    isDefaultBackend: perhaps(fc.boolean()),
    destinations: fc.array(destination, { minLength: 1, maxLength: 3 }),
  })
  .map(
    ({ destinations, ...labels }): ServiceDefinition => ({
      version: 1,
      source: { kind: 'rest', by: 'a test' },
      updatedAt: '2026-01-01T00:00:00.000Z',
      ...JSON.parse(JSON.stringify(labels)),
      destinations: destinations.map((one, index) => ({ ...one, index })),
    }),
  );

const definitions = fc.uniqueArray(definition, { selector: serviceKey, maxLength: 18 });

const target = fc
  .record({
    method: fc.constantFrom('GET', 'POST', 'PUT'),
    host: fc.constantFrom(...hosts),
    path: fc.constantFrom(...pathsRequested),
    port: fc.constantFrom(80, 443),
    headers: fc.constantFrom<Record<string, string>>({}, { k: '1' }, { k: '1', l: '1' }, { 'user-agent': 'a bot' }),
  })
  .map(({ headers, ...rest }): RequestTarget => ({ ...rest, header: (name) => headers[name] }));

const order = fc.constantFrom<OrderName>('strict', 'legacy');

describe('route table, whatever is in it', () => {
  it('finds the same route as a scan of all match rules in matching order', () => {
    fc.assert(
      fc.property(order, definitions, fc.array(target, { minLength: 1, maxLength: 8 }), (name, given, targets) => {
        const table = tableOf(name, given);
        for (const one of targets) expect(table.lookup(one)?.id).to.equal(scan(name, given, one), show(one));
      }),
      { numRuns: 300, seed: 20260102 },
    );
  });

  it('does not depend on the order of arrival, nor on what was there before', () => {
    const steps = fc.array(fc.tuple(definition, fc.boolean()), { maxLength: 30 });
    fc.assert(
      fc.property(order, steps, fc.array(target, { minLength: 1, maxLength: 8 }), (name, changes, targets) => {
        let table = emptyTable(name);
        const present = new Map<ServiceKey, ServiceDefinition>();
        for (const [one, stays] of changes) {
          table = table.with(new Map([[serviceKey(one), stays ? one : undefined]]));
          // Queried now and then, so that the next order is made from this one.
          if (one.owner === 'east') expect([...table.routes()]).to.have.length(table.size);
          if (stays) present.set(serviceKey(one), one);
          else present.delete(serviceKey(one));
        }
        const atOnce = tableOf(name, [...present.values()].toReversed());
        expect(table.size).to.equal(atOnce.size);
        expect([...table.routes()].map(({ id }) => id)).to.deep.equal([...atOnce.routes()].map(({ id }) => id));
        expect(problemsOf(table)).to.deep.equal(problemsOf(atOnce));
        for (const one of targets) expect(table.lookup(one)?.id).to.equal(atOnce.lookup(one)?.id, show(one));
      }),
      { numRuns: 200, seed: 20260102 },
    );
  });

  it('explains the same winner, and says of every other route what failed', () => {
    fc.assert(
      fc.property(order, definitions, target, (name, given, one) => {
        const table = tableOf(name, given);
        const { winner, candidates, omitted } = table.explain(one);
        expect(winner?.id).to.equal(table.lookup(one)?.id);
        const others = given.flatMap((each) => table.routesOf(serviceKey(each))).filter(({ id }) => id !== winner?.id);
        expect(candidates.map(({ route }) => route.id)).to.have.members(others.map(({ id }) => id));
        expect(omitted).to.equal(0);
      }),
      { numRuns: 200, seed: 20260102 },
    );
  });
});

/** Without an index and without precomputed conflicts: tries every match rule of every service in order. */
function scan(name: OrderName, given: readonly ServiceDefinition[], one: RequestTarget): string | undefined {
  const matchingOrder = name === 'strict' ? strictOrder : legacyOrder;
  const served = given.filter(({ proxyInstanceName = 'swarmgate' }) => proxyInstanceName === 'swarmgate');
  const byPeople = new Set(served.filter(({ owner }) => owner === 'manual').map(({ service }) => service));
  const inForce = served.filter(({ owner, service }) => owner === 'manual' || !byPeople.has(service));
  const compiled = inForce.map((each) => compileService(each, { order: matchingOrder }));
  const matchRules = compiled.flatMap(({ routes }) => routes.flatMap((route) => route.matchRules));
  const winners = matchRules.filter(
    (rule) => !matchRules.some((other) => takesFrom(other, rule, matchingOrder.compareCompeting)),
  );
  winners.sort(matchingOrder.compare);
  const fits = (rule: MatchRule) =>
    hostMatches(rule.host, one.host) &&
    pathMatches(rule.path, one.path) &&
    firstFailed(rule.of.conditions, one) === undefined;
  const any = winners.find(fits);
  const leadsToItself = any?.phase === 'redirect' && any.of.route.redirectToHost === one.host;
  const first = leadsToItself ? winners.find((rule) => rule.phase !== 'redirect' && fits(rule)) : any;
  if (first !== undefined) {
    const better =
      name === 'strict' && !takesMethod(first.of.conditions, one.method)
        ? winners.find((rule) => sameMatchKey(rule, first) && fits(rule) && takesMethod(rule.of.conditions, one.method))
        : undefined;
    return (better ?? first).of.route.id;
  }
  const defaults = compiled
    .filter(({ definition: { isDefaultBackend } }) => isDefaultBackend === true)
    .flatMap(({ routes }) => routes.filter(({ mode }) => mode === 'http'))
    .filter(({ conditions: { port } }) => port === undefined || port === one.port);
  const rank = (route: (typeof defaults)[number]) =>
    name === 'strict' ? [String(route.route.destination.since), route.route.id] : [route.aclName, route.route.id];
  return defaults.toSorted((a, b) => (rank(a).join(' ') < rank(b).join(' ') ? -1 : 1))[0]?.route.id;
}

function takesFrom(
  other: MatchRule,
  rule: MatchRule,
  compareCompeting: (one: MatchRule, other: MatchRule) => number,
): boolean {
  if (other === rule || !sameMatchKey(other, rule)) return false;
  if (other.of.conditions.identity !== rule.of.conditions.identity) return false;
  return other.of !== rule.of && compareCompeting(other, rule) < 0;
}

function sameMatchKey(one: MatchRule, other: MatchRule): boolean {
  const matchKey = ({ phase, host, path }: MatchRule) =>
    JSON.stringify([phase, host, path.kind, path.text, path.folded]);
  return matchKey(one) === matchKey(other);
}

function emptyTable(name: OrderName): RouteTable {
  return createRouteTable({
    order: name,
    instanceName: 'swarmgate',
    filterInstanceName: true,
  });
}

function tableOf(name: OrderName, given: readonly ServiceDefinition[]): RouteTable {
  return emptyTable(name).with(new Map(given.map((one) => [serviceKey(one), one])));
}

function problemsOf(table: RouteTable): unknown {
  return Object.fromEntries(table.problems());
}

function show({ method, host, path, port }: RequestTarget): string {
  return `${method} ${host}:${port}${path}`;
}
