import type { Problem, ServiceKey } from '@swarmgate/registry';
import { conflictsOf, losersOf } from './match-key.ts';
import { type CompiledRoute, type MatchRule, showMatchKey } from './match-rule.ts';
import { compareText, type OrderName } from './matching-order.ts';
import type { TableParts } from './table-parts.ts';

export interface TableProblems {
  readonly all: ReadonlyMap<ServiceKey, readonly Problem[]>;
  /** Of these, the conflicts that the service lost. */
  readonly lost: ReadonlyMap<ServiceKey, readonly Problem[]>;
}

/** All problems that compiling the table found. The cost grows with the number of problems, not with the table. */
export function findProblems(parts: TableParts, order: OrderName): TableProblems {
  const all = new Map<ServiceKey, Problem[]>();
  const lost = new Map<ServiceKey, Problem[]>();
  for (const { key, problems } of parts.flawed.values()) listed(all, key).push(...problems);
  for (const { key, definition } of parts.overridden.values()) listed(all, key).push(overridden(definition.service));
  for (const routeConflict of routeConflicts(parts)) {
    const { winner, loser } = routeConflict;
    const loss = lossOf(routeConflict, order);
    listed(all, loser.route.key).push(loss);
    listed(lost, loser.route.key).push(loss);
    if (winner.route.key !== loser.route.key) listed(all, winner.route.key).push(gainOf(routeConflict));
  }
  return { all, lost };
}

function listed(problems: Map<ServiceKey, Problem[]>, key: ServiceKey): Problem[] {
  const list = problems.get(key) ?? [];
  problems.set(key, list);
  return list;
}

function overridden(service: string): Problem {
  return {
    severity: 'warning',
    reason: 'overridden',
    message: `a manual definition of ${service} overrides this one`,
    suggestion: `Call remove?serviceName=${service} (swarmgate remove ${service}) to serve this one again.`,
    otherService: `manual/${service}`,
  };
}

/** Two routes in conflict: the first match key that both have, and how many they share. */
interface RouteConflict {
  readonly winner: CompiledRoute;
  readonly loser: CompiledRoute;
  what: string;
  matchKeys: number;
}

function routeConflicts(parts: TableParts): readonly RouteConflict[] {
  const found = new Map<string, RouteConflict>();
  const record = (winner: CompiledRoute, loser: CompiledRoute, what: string) => {
    const id = `${winner.route.id} ${loser.route.id}`;
    const known = found.get(id);
    if (known === undefined) found.set(id, { winner, loser, what, matchKeys: 1 });
    else {
      known.matchKeys += 1;
      if (what < known.what) known.what = what;
    }
  };
  for (const matchKey of parts.conflicting.values()) {
    for (const conflict of conflictsOf(matchKey)) {
      for (const loser of losersOf(conflict)) record(conflict.winner.of, loser.of, whatIsMatched(loser));
    }
  }
  const firstDefault = new Map<number | undefined, CompiledRoute>();
  for (const compiled of parts.defaults) {
    const { port } = compiled.conditions;
    const first = firstDefault.get(port);
    if (first === undefined) firstDefault.set(port, compiled);
    else if (first.route.key !== compiled.route.key) record(first, compiled, 'being the default backend');
  }
  // Sorted by name, so that every replica reports the same.
  return [...found].sort(([one], [other]) => compareText(one, other)).map(([, routeConflict]) => routeConflict);
}

function whatIsMatched(rule: MatchRule): string {
  const matchKey = showMatchKey(rule);
  return rule.phase === 'redirect' ? `the redirect from ${matchKey}` : matchKey;
}

function lossOf({ winner, loser, what, matchKeys }: RouteConflict, order: OrderName): Problem {
  const label = labelOf(loser, what);
  const why = order === 'legacy' ? 'its aclName comes first' : whyFirst(winner, loser);
  return {
    severity: 'warning',
    reason: 'route-conflict',
    message: `${what}${andMore(matchKeys)} is matched by ${winner.route.key} too, which takes precedence: ${why}`,
    label,
    suggestion: mend(label),
    otherService: winner.route.key,
  };
}

function gainOf({ winner, loser, what, matchKeys }: RouteConflict): Problem {
  const label = labelOf(winner, what);
  return {
    severity: 'warning',
    reason: 'route-conflict',
    message: `${what}${andMore(matchKeys)} is matched by ${loser.route.key} too, which gets no requests for it`,
    label,
    suggestion: mend(label),
    otherService: loser.route.key,
  };
}

function whyFirst(winner: CompiledRoute, loser: CompiledRoute): string {
  const since = winner.route.destination.since;
  return since < loser.route.destination.since
    ? `it has had it since ${timeText(since)}`
    : 'both have had it for equally long, and its name comes first';
}

/** To the second, in UTC. A manually edited `since` may be out of a date's range. */
function timeText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.valueOf()) ? String(ms) : `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function andMore(matchKeys: number): string {
  return matchKeys === 1 ? '' : ` (and ${matchKeys - 1} more)`;
}

function labelOf({ mode, route: { destination } }: CompiledRoute, what: string): string {
  if (what === 'being the default backend') return 'isDefaultBackend';
  const label =
    mode === 'redirect'
      ? 'redirectFromDomain'
      : destination.servicePath === undefined
        ? 'serviceDomain'
        : 'servicePath';
  return destination.index === 0 ? label : `${label}.${destination.index}`;
}

function mend(label: string): string {
  if (label === 'isDefaultBackend') return 'Leave com.df.isDefaultBackend to one of the two.';
  return `Change com.df.${label} of one of the two, or give both com.df.weight to share the requests.`;
}
