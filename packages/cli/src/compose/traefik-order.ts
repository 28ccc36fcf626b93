import { type RuleTree, readRule } from '@swarmgate/labels';
import type { Route, RouteTable } from '@swarmgate/proxy';

/** A request that Traefik would give to another router than this proxy, or to one of several. */
export interface OrderDifference {
  /** `GET a.example/api at port 80`. */
  readonly request: string;
  /** Id of the route that takes it here. */
  readonly here: string;
  /** Ids of the routes that Traefik may give it to: several where their priorities are equal, which Traefik leaves open. */
  readonly there: readonly string[];
  readonly why: string;
}

/** Of one rule, and of all: a route for each request of a large table would take minutes. */
const mostOf = { rule: 8, routes: 2_000, candidates: 100 };

/**
 * Compares the order of this table with Traefik's, among the routes with a priority, which are those of `traefik.*` labels: Traefik takes
 * the highest priority (the length of the rule, unless it is set). It tries requests that the rules themselves name. Pure.
 */
export function orderDifferences(table: RouteTable): readonly OrderDifference[] {
  const found = new Map<string, OrderDifference>();
  let routes = 0;
  for (const route of table.routes()) {
    if (route.destination.priority === undefined || route.destination.rule === undefined) continue;
    routes += 1;
    if (routes > mostOf.routes) break;
    const read = readRule(route.destination.rule);
    if (!read.ok) continue;
    for (const sample of samplesOf(read.tree)) {
      const difference = differenceAt(table, route, sample);
      if (difference !== undefined) found.set(`${difference.request} ${difference.here}`, difference);
    }
  }
  return [...found.values()].toSorted((one, other) => (one.request < other.request ? -1 : 1));
}

interface Sample {
  readonly host?: string;
  readonly path?: string;
  readonly method?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Requests that fit the rule, as far as it names them: expressions and negations are left out. */
function samplesOf(tree: RuleTree): readonly Sample[] {
  switch (tree.kind) {
    case 'any':
      return tree.parts.flatMap(samplesOf).slice(0, mostOf.rule);
    case 'all':
      return tree.parts
        .map(samplesOf)
        .reduce<readonly Sample[]>(
          (all, part) => all.flatMap((one) => part.map((other) => merged(one, other))).slice(0, mostOf.rule),
          [{}],
        );
    case 'Host':
      return [{ host: tree.host }];
    case 'Path':
    case 'PathPrefix':
      return [{ path: tree.path }];
    case 'Method':
      return [{ method: tree.method }];
    case 'Query':
      return [{ query: `?${encodeURIComponent(tree.name)}=${encodeURIComponent(tree.value)}` }];
    case 'Header':
      return [{ headers: { [tree.name.toLowerCase()]: tree.value } }];
    default:
      return [{}];
  }
}

function merged(one: Sample, other: Sample): Sample {
  return { ...one, ...other, headers: { ...one.headers, ...other.headers } };
}

function differenceAt(table: RouteTable, route: Route, sample: Sample): OrderDifference | undefined {
  const { host = 'any.invalid', path = '/', method = 'GET', query = '', headers = {} } = sample;
  const [entry = 'plain'] = route.destination.entryPorts ?? [];
  const secure = entry === 'ssl' || entry.endsWith(':ssl');
  const port = /^\d/.test(entry) ? Number.parseInt(entry, 10) : secure ? 443 : 80;
  const { winner, byDefault, candidates } = table.explain(
    {
      ...{ method, host, path, port, secure, query },
      header: (name) => headers[name],
      lines: (name) => (headers[name] === undefined ? [] : [headers[name]]),
    },
    mostOf.candidates,
  );
  if (winner === undefined || byDefault) return undefined;
  const others = candidates.flatMap(({ route: each, failed }) =>
    failed.condition === 'shadowed' || failed.condition === 'conflict'
      ? [{ route: each, message: failed.message }]
      : [],
  );
  const ofTraefik = [winner, ...others.map((each) => each.route)].filter(
    ({ destination }) => destination.priority !== undefined,
  );
  const highest = Math.max(...ofTraefik.map(({ destination }) => destination.priority ?? 0));
  const there = ofTraefik.filter(({ destination }) => destination.priority === highest);
  if (there.length === 0 || (there.length === 1 && there[0] === winner)) return undefined;
  const beaten = others.find((each) => there.includes(each.route));
  return {
    request: `${method} ${host}${path}${query} at port ${port}`,
    here: winner.id,
    there: there.map(({ id }) => id),
    why: there.includes(winner) ? `their priorities are equal (${highest})` : (beaten?.message ?? ''),
  };
}
