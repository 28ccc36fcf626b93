import type { EndpointNumbers, Problem, RowNumbers, StateRoute } from './types.ts';

export type ServiceState = 'ok' | 'maintenance' | 'warning' | 'error' | 'down';

/** One service as a line of the overview. */
export interface ServiceRow {
  /** `<owner>/<service>` */
  readonly key: string;
  readonly service: string;
  readonly owner: string;
  readonly state: ServiceState;
  /** Host and path of each match, as an operator writes them: `shop.example/cart`. */
  readonly matches: readonly string[];
  readonly routes: readonly StateRoute[];
  readonly endpointsUp: number;
  readonly endpoints: number;
  /** Absent where none were read, or no request came. */
  readonly numbers: RowNumbers | undefined;
  readonly problems: readonly Problem[];
  /** What the filter looks at, in small letters. */
  readonly text: string;
}

export function serviceRow(
  key: string,
  routes: readonly StateRoute[],
  numbers: RowNumbers | undefined,
  problems: readonly Problem[],
): ServiceRow {
  const slash = key.indexOf('/');
  const endpoints = new Map<string, StateRoute['endpoints'][number]>(
    routes.flatMap((route) => route.endpoints.map((each) => [each.id, each])),
  );
  const endpointsUp = [...endpoints.values()].filter(isUp).length;
  const matches = [...new Set(routes.flatMap(matchesOf))];
  return {
    key,
    owner: key.slice(0, slash),
    service: key.slice(slash + 1),
    state: stateOf(routes, endpointsUp, problems),
    matches,
    routes,
    endpointsUp,
    endpoints: endpoints.size,
    numbers,
    problems,
    text: [key, ...matches, ...problems.map(({ reason }) => reason)].join(' ').toLowerCase(),
  };
}

/** Takes requests: it is active, and neither checks nor requests show that it fails. */
export function isUp({ state, health }: Pick<EndpointNumbers, 'state' | 'health'>): boolean {
  return state === 'active' && health !== 'ejected';
}

/** What a service's endpoints come to. A match that another service has is no route in force: its endpoints get no request. */
export function describeEndpoints(
  routes: readonly Pick<StateRoute, 'redirectToHost' | 'maintenance'>[],
  endpoints: readonly Pick<EndpointNumbers, 'state' | 'health'>[],
): string {
  const present = endpoints.filter(({ state }) => state !== 'gone');
  const some = `${present.filter(isUp).length} of ${present.length}`;
  if (routes.length === 0)
    return present.length === 0 ? 'none: no match is in force' : `${some} up, without requests: no match is in force`;
  if (present.length === 0 && isRedirect(routes)) return 'none: requests are redirected to another host';
  if (routes.some(({ maintenance }) => maintenance === true)) return `${some} up, in maintenance`;
  return `${some} take requests`;
}

/** Needs no endpoint. */
export function isRedirect(routes: readonly Pick<StateRoute, 'redirectToHost'>[]): boolean {
  return routes.length > 0 && routes.every(({ redirectToHost }) => redirectToHost !== undefined);
}

function stateOf(routes: readonly StateRoute[], endpointsUp: number, problems: readonly Problem[]): ServiceState {
  if (routes.some(({ maintenance }) => maintenance === true)) return 'maintenance';
  if (routes.length > 0 && !isRedirect(routes) && endpointsUp === 0) return 'down';
  // Without a route it gets no request, however harmless its problem is called.
  if (problems.some(({ severity }) => severity === 'error' || routes.length === 0)) return 'error';
  return problems.length > 0 || routes.some(({ blockedBy }) => blockedBy !== undefined) ? 'warning' : 'ok';
}

const hostConditions = ['serviceDomain', 'serviceDomainMatch'];
const pathConditions = ['servicePath', 'pathRegexp'];

/** Host and path of a route, each host with each path. */
export function matchesOf({ conditions }: Pick<StateRoute, 'conditions'>): readonly string[] {
  const hosts = hostConditions.flatMap((name) => textsOf(conditions[name]));
  const paths = pathConditions.flatMap((name) => textsOf(conditions[name]));
  return (hosts.length === 0 ? ['*'] : hosts).flatMap((host) =>
    (paths.length === 0 ? ['/'] : paths).map((path) => `${host}${path}`),
  );
}

function textsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === 'string' ? [value] : [];
}

export type SortColumn = 'service' | 'state' | 'rate' | 'errors' | 'p50' | 'p99' | 'endpoints' | 'owner' | 'problems';

export interface Sorting {
  readonly column: SortColumn;
  readonly descending: boolean;
}

const severity: Readonly<Record<ServiceState, number>> = { ok: 0, maintenance: 1, warning: 2, error: 3, down: 4 };

const figureOf: Readonly<Record<Exclude<SortColumn, 'service' | 'owner'>, (row: ServiceRow) => number>> = {
  state: ({ state }) => severity[state],
  rate: ({ numbers }) => numbers?.requestsPerSecond ?? -1,
  errors: ({ numbers }) => numbers?.errorsPercent ?? -1,
  p50: ({ numbers }) => numbers?.p50Ms ?? -1,
  p99: ({ numbers }) => numbers?.p99Ms ?? -1,
  endpoints: ({ endpointsUp }) => endpointsUp,
  problems: ({ problems }) => problems.length,
};

/** Every word has to occur, in names, matches or reasons of problems; `is:down` and its like select by state, `is:problem` as `is:error`. */
export function filterRows(rows: readonly ServiceRow[], filter: string): readonly ServiceRow[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter((row) =>
    words.every((word) =>
      word.startsWith('is:') ? stateNamed(word.slice('is:'.length)) === row.state : row.text.includes(word),
    ),
  );
}

/** The list shows the state `error` as “problem”. */
function stateNamed(name: string): string {
  return name === 'problem' ? 'error' : name;
}

/** Equal ones by name. */
export function sortRows(rows: readonly ServiceRow[], sorting: Sorting): readonly ServiceRow[] {
  return rows.toSorted(rowComparison(sorting));
}

/** Never 0 for two services: the order is one, whatever it was before. */
export function rowComparison({ column, descending }: Sorting): (a: ServiceRow, b: ServiceRow) => number {
  const sign = descending ? -1 : 1;
  const byName = (a: ServiceRow, b: ServiceRow) => compare(a.service, b.service) || compare(a.owner, b.owner);
  if (column === 'service') return (a, b) => sign * byName(a, b);
  if (column === 'owner') return (a, b) => sign * compare(a.owner, b.owner) || byName(a, b);
  const figure = figureOf[column];
  return (a, b) => sign * (figure(a) - figure(b)) || byName(a, b);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A URL that the match takes: `*` stands for every host, so any is valid. */
export function explainUrl(match: string): string {
  return `http://${match.replace(/^\*(?=\/|$)/, 'localhost').replace(/^\*\./, 'www.')}`;
}

/** A command that sends a request to what has this match, by the entrypoint at this port. */
export function curlOf(match: string, hostname: string, port: number): string {
  const slash = match.indexOf('/');
  const [host, path] = [match.slice(0, slash), match.slice(slash)];
  const header = host === '*' ? '' : `-H 'Host: ${host.replace(/^\*\./, 'www.')}' `;
  return `curl ${header}http://${hostname}${port === 80 ? '' : `:${port}`}${path}`;
}
