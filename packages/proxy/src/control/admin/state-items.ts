import { MergedNumbers } from '../numbers/merged-numbers.ts';
import { windowsOf } from '../numbers/replica-totals.ts';
import { noWindows } from '../numbers/service-numbers.ts';
import type { WindowNumbers } from '../numbers/window-counts.ts';
import type { TakeSteps } from '../steps.ts';
import type { AdminParts } from './admin-parts.ts';
import { type ProblemsByService, viewForeignKey, viewProblems } from './collect-problems.ts';
import type { RouteView, StateNumbers, StateRoute } from './response-bodies.ts';
import { viewRoute } from './view-route.ts';

/** One item of the state as `GET /v1/events` sends it. */
export type StateItem = readonly [name: string, value: unknown];

/** Every served service with its routes in force, one a step. */
export function* serviceItems(parts: Pick<AdminParts, 'server' | 'follower'>): Generator<StateItem> {
  const table = parts.server.table();
  for (const key of [...parts.follower.served.services.keys()]) {
    const routes = table.routesOf(key).filter((route) => table.statusOf(route) === 'in-force');
    yield [key, routes.map((route) => stateRoute(viewRoute(route, parts)))];
  }
}

/** Without what changes with every request: each such change would be an event. */
function stateRoute({ endpoints, ...route }: RouteView): StateRoute {
  return { ...route, endpoints: endpoints.map(({ outstanding: _changes, ...endpoint }) => endpoint) };
}

export function* problemItems(problems: ProblemsByService): Generator<StateItem> {
  for (const entry of problems) yield [entry[0], [...viewProblems(new Map([entry]))]];
}

export function keyItem({ follower }: Pick<AdminParts, 'follower'>): unknown {
  return follower.served.foreignKeys.map(viewForeignKey);
}

/** The last minute of every service that had requests, one a step, then of all of them under an empty name. */
export async function numberItems(
  { server, totals }: Pick<AdminParts, 'server' | 'totals'>,
  scope: 'replica' | 'all',
  take: TakeSteps,
): Promise<{ readonly items: Iterable<StateItem>; readonly total: StateNumbers }> {
  const own = (await (await server.numbers?.())?.byService(take)) ?? noWindows;
  const others = scope === 'all' ? await totals.others() : [];
  const windows = [own];
  for (const each of others) windows.push(await take(windowsOf(each)));
  const merged = new MergedNumbers(windows);
  function* items(): Generator<StateItem> {
    for (const key of merged.keys()) if (key !== '') yield [key, stateNumbers(merged.window(key, 'lastMinute'))];
  }
  return { items: items(), total: stateNumbers((await take(merged.total(0))).lastMinute) };
}

/** To three digits: a rate over a window that grows would otherwise be another one with every look. */
function stateNumbers({ requestsPerSecond, errorsPercent, p50Ms, p99Ms }: WindowNumbers): StateNumbers {
  const short = (value: number) => Number(value.toPrecision(3));
  return {
    requestsPerSecond: short(requestsPerSecond),
    errorsPercent: short(errorsPercent),
    p50Ms: p50Ms === null ? null : short(p50Ms),
    p99Ms: p99Ms === null ? null : short(p99Ms),
  };
}
