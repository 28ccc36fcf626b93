import { expressionCost } from '../values/regular-expression.ts';
import { middlewareExpressions, middlewaresOf } from './middlewares-of.ts';
import type { Problem } from './problem.ts';
import type { Destination } from './service-definition.ts';

/** The most that one service may cost every proxy, so that its definition affects no other service. */
export const serviceBounds = {
  /** Of one service; the same number bounds a destination's index. */
  destinations: 1000,
  /** Names in `serviceDomain` and `redirectFromDomain`, over all destinations. */
  hosts: 10_000,
  /** Paths, exclusions, user agents, header conditions, rewrites and middlewares, over all destinations. */
  patterns: 10_000,
  /** Hosts × paths, over all destinations: each pair is one entry of the route table. */
  matchRules: 20_000,
  /** Instructions of all expressions (paths, exclusions, rewrites, middlewares). 20,000 compile in some 100 ms. */
  expressionCost: 20_000,
} as const;

/** One problem for the first bound that the destinations exceed together. Cheap: it compiles nothing. */
export function checkBounds(destinations: readonly Destination[]): readonly Problem[] {
  const sums = { destinations: destinations.length, hosts: 0, patterns: 0, matchRules: 0, expressionCost: 0 };
  const costs = new Map<string, number>();
  const costOf = (expression: string) => {
    const cost = costs.get(expression) ?? expressionCost(expression);
    costs.set(expression, cost);
    return cost;
  };
  for (const destination of destinations) {
    const { serviceDomain = [], redirectFromDomain = [], servicePath = [], servicePathExclude = [] } = destination;
    const rewrites = destination.reqPathSearchReplace ?? [];
    const paths = servicePath.length + servicePathExclude.length;
    sums.hosts += serviceDomain.length + redirectFromDomain.length;
    sums.patterns +=
      paths +
      (destination.userAgent?.length ?? 0) +
      Object.keys(destination.serviceHeader ?? {}).length +
      rewrites.length +
      middlewaresOf(destination).length;
    sums.matchRules += Math.max(1, serviceDomain.length) * Math.max(1, servicePath.length) + redirectFromDomain.length;
    const exceeded = firstExceeded(sums);
    if (exceeded !== undefined) return [exceeded];
    const isExpression = /_reg$/.test(destination.pathType?.matcher ?? '');
    if (isExpression) for (const path of [...servicePath, ...servicePathExclude]) sums.expressionCost += costOf(path);
    const { rule = '' } = destination;
    sums.patterns += rule.split('(').length - 1;
    // Its texts that are no expressions count too: few rules hold one, and none is near the bound.
    if (/Regexp\(/.test(rule)) sums.expressionCost += costOf(rule);
    for (const { search } of rewrites) sums.expressionCost += costOf(search);
    for (const expression of middlewareExpressions(destination)) sums.expressionCost += costOf(expression);
  }
  const exceeded = firstExceeded(sums);
  return exceeded === undefined ? [] : [exceeded];
}

const what: Readonly<Record<keyof typeof serviceBounds, { readonly name: string; readonly label: string }>> = {
  destinations: { name: 'destinations', label: 'servicePath' },
  hosts: { name: 'host names', label: 'serviceDomain' },
  patterns: { name: 'paths, user agents, header conditions, rewrites and middlewares', label: 'servicePath' },
  matchRules: { name: 'pairs of host and path', label: 'serviceDomain' },
  expressionCost: { name: 'instructions of expressions', label: 'servicePath' },
};

function firstExceeded(sums: Readonly<Record<keyof typeof serviceBounds, number>>): Problem | undefined {
  for (const [bound, most] of Object.entries(serviceBounds) as [keyof typeof serviceBounds, number][]) {
    if (sums[bound] <= most) continue;
    return {
      severity: 'error',
      reason: 'service-too-large',
      message: `the service has more than ${most.toLocaleString('en')} ${what[bound].name} over all its destinations`,
      label: what[bound].label,
      suggestion: 'use fewer or wider ones, or split the service into several names by reconfigure',
    };
  }
  return undefined;
}
