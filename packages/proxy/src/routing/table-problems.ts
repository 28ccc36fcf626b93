import type { Problem, ServiceKey } from '@swarmgate/registry';
import { conflictsOf, losersOf } from './match-key.ts';
import { type CompiledRoute, type MatchRule, showMatchKey } from './match-rule.ts';
import { compareText, type OrderName } from './matching-order.ts';
import type { TableParts } from './table-parts.ts';

export interface TableProblems {
  readonly all: ReadonlyMap<ServiceKey, readonly Problem[]>;
  /** The part of them that says: you asked for this, and somebody else has it. */
  readonly lost: ReadonlyMap<ServiceKey, readonly Problem[]>;
}

/** Everything the compiled table itself found wrong. Costs as much as there is wrong, not as the table is large. */
export function findProblems(parts: TableParts, order: OrderName): TableProblems {
  const all = new Map<ServiceKey, Problem[]>();
  const lost = new Map<ServiceKey, Problem[]>();
  for (const { key, problems } of parts.flawed.values()) listed(all, key).push(...problems);
  for (const { key, definition } of parts.overridden.values()) listed(all, key).push(overridden(definition.service));
  for (const rivalry of rivalries(parts)) {
    const { winner, loser } = rivalry;
    const loss = lossOf(rivalry, order);
    listed(all, loser.route.key).push(loss);
    listed(lost, loser.route.key).push(loss);
    if (winner.route.key !== loser.route.key) listed(all, winner.route.key).push(gainOf(rivalry));
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
    message: `a definition of ${service} that a person made stands in the place of this one`,
    suggestion: `Call remove?serviceName=${service} (swarmgate remove ${service}) to serve this one again.`,
    otherService: `manual/${service}`,
  };
}

/** Two routes that claim the same: where, by the first name of it, and in how many places. */
interface Rivalry {
  readonly winner: CompiledRoute;
  readonly loser: CompiledRoute;
  what: string;
  places: number;
}

function rivalries(parts: TableParts): readonly Rivalry[] {
  const found = new Map<string, Rivalry>();
  const record = (winner: CompiledRoute, loser: CompiledRoute, what: string) => {
    const id = `${winner.route.id} ${loser.route.id}`;
    const known = found.get(id);
    if (known === undefined) found.set(id, { winner, loser, what, places: 1 });
    else {
      known.places += 1;
      if (what < known.what) known.what = what;
    }
  };
  for (const place of parts.contested.values()) {
    for (const contest of conflictsOf(place)) {
      for (const loser of losersOf(contest)) record(contest.winner.of, loser.of, whatIsClaimed(loser));
    }
  }
  const firstDefault = new Map<number | undefined, CompiledRoute>();
  for (const compiled of parts.defaults) {
    const { port } = compiled.conditions;
    const first = firstDefault.get(port);
    if (first === undefined) firstDefault.set(port, compiled);
    else if (first.route.key !== compiled.route.key) record(first, compiled, 'being the default backend');
  }
  // By name: every replica says the same, whatever came first there.
  return [...found].sort(([one], [other]) => compareText(one, other)).map(([, rivalry]) => rivalry);
}

function whatIsClaimed(claim: MatchRule): string {
  const place = showMatchKey(claim);
  return claim.phase === 'redirect' ? `the redirect from ${place}` : place;
}

function lossOf({ winner, loser, what, places }: Rivalry, order: OrderName): Problem {
  const label = labelOf(loser, what);
  const why = order === 'legacy' ? 'its aclName comes first' : whyFirst(winner, loser);
  return {
    severity: 'warning',
    reason: 'route-conflict',
    message: `${what}${andMore(places)} is claimed by ${winner.route.key} too, which keeps it: ${why}`,
    label,
    suggestion: mend(label),
    otherService: winner.route.key,
  };
}

function gainOf({ winner, loser, what, places }: Rivalry): Problem {
  const label = labelOf(winner, what);
  return {
    severity: 'warning',
    reason: 'route-conflict',
    message: `${what}${andMore(places)} is claimed by ${loser.route.key} too, which gets no requests there`,
    label,
    suggestion: mend(label),
    otherService: loser.route.key,
  };
}

function whyFirst(winner: CompiledRoute, loser: CompiledRoute): string {
  const since = winner.route.destination.since;
  return since < loser.route.destination.since
    ? `it has had it since ${isoDate(since)}`
    : 'both have had it for equally long, and its name comes first';
}

/** A hand-edited `since` may be beyond what a date can say. */
function isoDate(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.valueOf()) ? String(ms) : date.toISOString();
}

function andMore(places: number): string {
  return places === 1 ? '' : ` (and ${places - 1} more)`;
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
